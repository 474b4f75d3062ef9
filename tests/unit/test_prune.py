"""The schedules of pruning, as pure functions."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edgekit.compress.prune import Prune

_FRACTIONS = st.floats(0, 1)


@given(
    steps=st.integers(1, 2000),
    sparsity=st.floats(0, 0.99),
    start=_FRACTIONS,
    span=st.tuples(_FRACTIONS, _FRACTIONS).map(sorted),
    every=st.integers(1, 500),
    schedule=st.sampled_from(["constant", "one_shot", "polynomial", "iterative"]),
)
def test_whatever_the_schedule_it_ends_at_the_target(
    steps: int, sparsity: float, start: float, span: list[float], every: int, schedule: str
) -> None:
    """However short the training and rare the updates: the last update asks for exactly the sparsity wanted."""
    prune = Prune(
        sparsity=sparsity,
        schedule=schedule,
        initial_sparsity=start * sparsity,
        begin=span[0],
        end=span[1],
        update_every=every,
    )
    updates = prune.update_steps(steps)
    assert updates == tuple(sorted(set(updates)))
    assert updates[0] >= 0 and updates[-1] < steps
    asked = [prune.sparsity_at(step, steps) for step in updates]
    assert asked[-1] == sparsity
    assert all(later >= earlier - 1e-12 for earlier, later in itertools.pairwise(asked))


def test_the_polynomial_has_power_three() -> None:
    """Zhu and Gupta's formula at a quarter, half and three quarters of its way."""
    prune = Prune(sparsity=0.9, initial_sparsity=0.1, begin=0.0, end=1.0)
    for part in (0.25, 0.5, 0.75):
        step = round(part * 400)
        assert prune.sparsity_at(step, 401) == pytest.approx(0.9 + (0.1 - 0.9) * (1 - part) ** 3)


def test_nothing_is_pruned_before_the_schedule_begins() -> None:
    prune = Prune(sparsity=0.8, initial_sparsity=0.2, begin=0.5, end=0.9)
    assert prune.sparsity_at(49, 100) == 0
    assert prune.sparsity_at(50, 100) == pytest.approx(0.2)
    assert prune.update_steps(100) == (50, 60, 70, 80, 90)


def test_one_shot_prunes_at_once_and_for_good() -> None:
    prune = Prune(sparsity=0.8, schedule="one_shot", begin=0.25, end=0.5)
    assert prune.update_steps(100) == (25,)
    assert [prune.sparsity_at(step, 100) for step in (24, 25, 99)] == [0, 0.8, 0.8]


def test_constant_keeps_its_sparsity_while_masks_may_move() -> None:
    prune = Prune(sparsity=0.8, schedule="constant", begin=0.25, end=0.5)
    assert prune.update_steps(100) == (25, 35, 45, 50)
    assert {prune.sparsity_at(step, 100) for step in (25, 35, 45, 50, 99)} == {0.8}


def test_iterative_rounds_take_the_same_share_of_what_is_left() -> None:
    prune = Prune(sparsity=0.9375, schedule="iterative", rounds=4, end=0.9)
    asked = [prune.sparsity_at(step, 100) for step in prune.update_steps(100)]
    assert asked == pytest.approx([0.5, 0.75, 0.875, 0.9375])


def test_a_schedule_rarer_than_the_training_is_long_still_ends() -> None:
    """With an update every 100 steps, 24 steps of training would otherwise prune nothing, in silence."""
    prune = Prune(sparsity=0.5, update_every=100, begin=0.0, end=0.6)
    assert prune.update_steps(24) == (0, 14)
    assert prune.sparsity_at(14, 24) == 0.5
