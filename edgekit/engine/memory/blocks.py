"""How many rows a step each layer of a streamed schedule computes.

First the blocks that need the smallest arena: one row each, but for tensors that are better made whole. Then larger
ones, where they cost no RAM: each doubling halves how often a layer's weights are read.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from edgekit.engine.memory.streaming import Demands, streamed
from edgekit.engine.memory.trial import Court, Trial

# Of the ways to make one more tensor whole, those that are placed: the ones with the fewest live bytes.
_PLACED = 8


def smallest(court: Court, asked: Demands) -> tuple[dict[int, int], Trial]:
    """Return blocks with the smallest arena that is found, and their schedule.

    Args:
        court: judges the schedules.
        asked: what asks for what.
    """
    blocks = {layer: 1 for layer, rows in asked.rows.items() if rows > 1 and _may_split(court, layer)}
    best = court.hear(streamed(asked, blocks))
    arena = court.place(best).bytes
    while not court.is_spent:
        better = _one_whole_or_split(court, asked, blocks, arena)
        if better is None:
            break
        blocks, best, arena = better
    return blocks, best


def _may_split(court: Court, layer: int) -> bool:
    """A layer with a state sees all of its rows in one call."""
    return layer not in court.access.work or not court.access.work[layer].states


def _one_whole_or_split(
    court: Court, asked: Demands, blocks: Mapping[int, int], arena: int
) -> tuple[dict[int, int], Trial, int] | None:
    """The best schedule in which one layer computes all of its rows at once, or no longer does."""
    trials = []
    for layer in asked.rows:
        if court.is_spent:
            break
        if asked.rows[layer] > 1 and _may_split(court, layer):
            other = {**blocks, layer: 1}
            if blocks.get(layer) == 1:
                del other[layer]
            trial = court.hear(streamed(asked, other))
            if trial.live < arena:
                trials.append((trial.live, layer, other, trial))
    found = None
    for _, _, other, trial in sorted(trials, key=lambda one: one[:2])[:_PLACED]:
        placed = court.place(trial).bytes
        if placed < arena:
            found, arena = (other, trial, placed), placed
    return found


def largest(
    court: Court, asked: Demands, blocks: Mapping[int, int], limit: int, best: Trial
) -> tuple[dict[int, int], Trial]:
    """Return larger blocks whose arena does not exceed a limit, and their schedule.

    Args:
        court: judges the schedules.
        asked: what asks for what.
        blocks: those to start from.
        limit: bytes of the arena.
        best: the schedule of `blocks`.
    """
    current = dict(blocks)

    def raised(layers: Sequence[int], factor: int) -> bool:
        """Whether all of these layers can have blocks so many times larger."""
        nonlocal current, best
        other = {
            layer: min(size * factor, asked.rows[layer]) if layer in layers else size for layer, size in current.items()
        }
        if other == current:
            return True
        trial = court.hear(streamed(asked, other))
        if trial.live > limit or court.place(trial, good_enough=limit).bytes > limit:
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
    return current, best
