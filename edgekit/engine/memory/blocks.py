"""How many rows a step each layer of a streamed schedule computes, and where it is cut.

First what needs the smallest arena: rows one by one, and cuts where a whole tensor costs less than the rings behind
it. Then larger blocks, where they cost no RAM: each doubling halves how often a layer's weights are read.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from edgekit.engine.memory.access import Access
from edgekit.engine.memory.streaming import Demands, streamed
from edgekit.engine.memory.trial import Court, Trial
from edgekit.engine.types import Step

# Of the ways to make one cut more or less, those that are placed: the ones with the fewest live bytes.
_PLACED = 8


@dataclass(frozen=True, slots=True)
class Form:
    """What makes a streamed schedule.

    Attributes:
        blocks: layer -> rows a step; others compute all of their rows at once.
        cuts: layers whose rows are all done before one is read.
    """

    blocks: Mapping[int, int]
    cuts: frozenset[int]

    def steps(self, asked: Demands) -> tuple[Step, ...]:
        """Return the schedule."""
        return streamed(asked, self.blocks, self.cuts)


def smallest(court: Court, asked: Demands) -> tuple[Form, Trial]:
    """Return the form with the smallest arena that is found, and its schedule.

    Args:
        court: judges the schedules.
        asked: what asks for what.
    """
    blocks = {layer: 1 for layer, rows in asked.rows.items() if rows > 1 and _may_split(court.access, layer)}
    starts: list[tuple[int, int, Form, Trial]] = []
    for cuts in dict.fromkeys((frozenset[int](), _narrows(court.access), frozenset(court.access.work))):
        form = Form(blocks, cuts & blocks.keys())
        trial = court.hear(form.steps(asked))
        starts.append((court.place(trial).bytes, len(starts), form, trial))
    arena, _, form, best = min(starts, key=lambda start: start[:2])
    while not court.is_spent:
        better = _one_cut(court, asked, form, arena)
        if better is None:
            break
        form, best, arena = better
    return form, best


def _may_split(access: Access, layer: int) -> bool:
    """A layer with a state sees all of its rows in one call."""
    return layer not in access.work or not access.work[layer].states


def _narrows(access: Access) -> frozenset[int]:
    """Layers behind which nothing but their output is alive, layer by layer: the ends of residual blocks."""
    found, alive = set(), set(access.inputs)
    left = {root: len(access.readers[root]) for root in access.places}
    for layer, work in access.work.items():
        for root in {span.root for span in work.reads}:
            left[root] -= 1
        alive = {root for root in (*alive, work.write.root) if left[root]} - {*access.states}
        if alive == {work.write.root}:
            found.add(layer)
    return frozenset(found)


def _one_cut(court: Court, asked: Demands, form: Form, arena: int) -> tuple[Form, Trial, int] | None:
    """The best schedule with one cut more or less."""
    trials = []
    for layer in form.blocks:
        if court.is_spent:
            break
        other = replace(form, cuts=form.cuts ^ {layer})
        trial = court.hear(other.steps(asked))
        if trial.live < arena:
            trials.append((trial.live, layer, other, trial))
    found = None
    for _, _, other, trial in sorted(trials, key=lambda one: one[:2])[:_PLACED]:
        placed = court.place(trial).bytes
        if placed < arena:
            found, arena = (other, trial, placed), placed
    return found


def largest(court: Court, asked: Demands, form: Form, limit: int, best: Trial) -> tuple[Form, Trial]:
    """Return larger blocks whose arena does not exceed a limit, and their schedule.

    Args:
        court: judges the schedules.
        asked: what asks for what.
        form: what to start from.
        limit: bytes of the arena.
        best: the schedule of `form`.
    """
    current = dict(form.blocks)

    def raised(layers: Sequence[int], factor: int) -> bool:
        """Whether all of these layers can have blocks so many times larger."""
        nonlocal current, best
        other = {
            layer: min(size * factor, asked.rows[layer]) if layer in layers else size for layer, size in current.items()
        }
        if other == current:
            return True
        trial = court.hear(replace(form, blocks=other).steps(asked))
        if trial.live > limit or court.place(trial, good_enough=limit, like=court.place(best)).bytes > limit:
            return False
        current, best = other, trial
        return True

    def raise_all(layers: Sequence[int], factor: int) -> None:
        """All at once if that fits, else each half by itself."""
        if layers and not court.is_spent and not raised(layers, factor) and len(layers) > 1:
            raise_all(layers[: len(layers) // 2], factor)
            raise_all(layers[len(layers) // 2 :], factor)

    def saving(layer: int) -> int:
        constants = court.access.work[layer].constant_bytes if layer in court.access.work else 0
        return -constants * (asked.rows[layer] // current[layer])

    for factor in (1 << 20, 8, 4, 2, 2):
        raise_all(sorted((layer for layer in current if current[layer] < asked.rows[layer]), key=saving), factor)
    return replace(form, blocks=current), best
