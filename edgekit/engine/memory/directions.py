"""Layer by layer, but some layers from the last rows to the first.

An output that is computed from its first row on follows its dying input from below: it lies a few rows in front of it.
Where all layers do so, each drifts further, and the arena grows by the drift. A layer that goes the other way, in
blocks of a few rows, drifts back. Each block reads the layer's constants again, so layers with few constants turn.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from edgekit.engine.memory.access import Access
from edgekit.engine.memory.trial import Court, Trial
from edgekit.engine.types import Step

# How often the constants of a model may be read in one inference, on average.
_READS = 4
# Of a model of few constants, as pruned ones are, whose layers compute as long as ever: bytes that may be read.
_MAY_READ = 96 << 10
# An arena so close to what lives at once is good enough, and what turning must save to be worth its steps: 1 part in
_CLOSE, _WORTH = 64, 20
_BLOCKS = (1, 2, 4)


def steps(access: Access, order: Sequence[int], descending: Mapping[int, int]) -> tuple[Step, ...]:
    """Return the steps of layers one after another.

    Args:
        access: what they touch.
        order: the layers.
        descending: layer -> rows a step, for those that go from the last rows to the first.
    """
    found = []
    for layer in order:
        end = access.work[layer].rows
        size = descending.get(layer, end)
        while end > 0:
            found.append(Step(layer, max(0, end - size), end))
            end -= size
    return tuple(found)


def best(court: Court, order: Sequence[int], first: tuple[Step, ...] = ()) -> Trial:
    """Return the schedule whose arena is smallest, as far as the court's budget goes.

    Args:
        court: judges the schedules.
        order: the layers.
        first: steps of other layers in front of them.
    """
    chosen: dict[int, int] = {}
    trial = upwards = court.hear((*first, *steps(court.access, order, chosen)))
    arena, close = court.place(trial).bytes, trial.live + trial.live // _CLOSE
    turners = [layer for layer in _turners(court.access, trial) if layer in order]
    constants = sum(work.constant_bytes for work in court.access.work.values())
    most_read = max(trial.flash, _READS * constants, _MAY_READ)

    def improves(other: Mapping[int, int]) -> bool:
        """Whether other layers that turn need less memory, or as little with fewer reads."""
        nonlocal chosen, trial, arena
        candidate = court.hear((*first, *steps(court.access, order, other)))
        if candidate.flash > most_read or candidate.live > arena:
            return False
        placed = court.place(candidate).bytes
        if (placed, candidate.price) >= (arena, trial.price):
            return False
        chosen, trial, arena = dict(other), candidate, placed
        return True

    for pattern in _patterns(court.access, [layer for layer in order if layer in turners]):
        if arena <= close or court.is_spent:
            break
        improves(pattern)
    while arena > close and not court.is_spent:
        if not any(improves(other) for other in _neighbors(chosen, turners) if not court.is_spent):
            break
    without = court.place(upwards).bytes
    return trial if without - arena >= without // _WORTH else upwards


def _turners(access: Access, trial: Trial) -> list[int]:
    """Layers that may turn, and whose input and output are large enough to matter; the larger first."""
    found = []
    for layer, work in access.work.items():
        touched = {work.write.root, *(span.root for span in work.reads)}
        size = sum(access.places[root].units * access.places[root].unit_bytes for root in touched)
        # One that adds up rows, or keeps a state, goes upwards.
        turns = work.by_rows and work.rows > 1 and not work.states and not work.keeps_scratch
        if turns and int(work.write.last[0]) and 2 * size > trial.live:
            found.append((-size, layer))
    return [layer for _, layer in sorted(found)]


def _patterns(access: Access, turners: Sequence[int]) -> Iterator[dict[int, int]]:
    """Every second layer, from the first or from the second; those with fewer constants than their neighbors."""
    light = [
        layer
        for place, layer in enumerate(turners)
        if access.work[layer].constant_bytes
        < max(access.work[other].constant_bytes for other in turners[max(0, place - 1) : place + 2])
    ]
    for size in _BLOCKS:
        for layers in (light, turners[1::2], turners[::2]):
            if layers:
                yield dict.fromkeys(layers, size)


def _neighbors(chosen: Mapping[int, int], turners: Sequence[int]) -> Iterator[dict[int, int]]:
    """One layer more or less, or one in other blocks."""
    for layer in turners:
        if layer in chosen:
            yield {other: size for other, size in chosen.items() if other != layer}
        for size in _BLOCKS:
            if chosen.get(layer) != size:
                yield {**chosen, layer: size}
