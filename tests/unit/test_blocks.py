"""Blocks and steps give back the matrix they were made of."""

from __future__ import annotations

import numpy as np
import pytest

from edgekit.engine.forms.blocks._encode import block_rows
from edgekit.engine.forms.blocks.shape import BlockShape

MOST = (8, 9, 30, 255)


@pytest.mark.parametrize("seed", range(200))
def test_steps_lead_to_every_weight(seed: int) -> None:
    rng = np.random.default_rng(seed)
    channels, depth = int(rng.integers(1, 14)), int(rng.integers(1, 60))
    shape = BlockShape(*(int(size) for size in rng.choice([1, 2, 4, 8], 2)))
    alignment = int(rng.choice([size for size in (1, 2, 4, 8) if size <= shape.depth]))
    weights = rng.integers(-128, 128, (channels, depth), dtype=np.int8)
    weights[rng.random(weights.shape) >= rng.choice([0, 0.05, 0.3, 1])] = 0
    most, moves, is_behind = int(rng.choice(MOST)), rng.random() < 0.5, rng.random() < 0.5
    found = np.zeros((max(channels, shape.channels), depth + 2 * shape.depth), np.int8)
    for row in block_rows(weights, shape, alignment=alignment):
        passed, begin = shape.depth if moves else 0, 0 if moves or not is_behind else -alignment
        steps, blocks = row.steps(alignment, passed=passed, begin=begin, most=most)
        assert steps.min(initial=most) >= (1 if begin else 0) and steps.max(initial=0) <= most
        place, group = begin, found[row.start : row.start + shape.channels]
        group[...] = 0
        for step, block in zip(steps, blocks, strict=True):
            place += step * alignment
            group[:, place : place + shape.depth] += block
            place += passed
    assert (found[:channels, :depth] == weights).all() and not found[channels:].any() and not found[:, depth:].any()
