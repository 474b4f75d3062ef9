"""At which offset each buffer lies: first fit, row by row, in many orders.

Two buffers may overlap where no two of their rows meet in bytes and time. That alone gives operators that work in
place, outputs that follow their dying input through memory, and rings beside what they are cut from.

Source:
    Pisarchyk and Lee, Efficient memory management for deep neural net inference, 2020, and TFLite Micro's greedy
    planner, for first fit by size; both place whole tensors. The search over orders is local: the highest buffer moves.
"""

from __future__ import annotations

import itertools
import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from edgekit.engine.memory.live_rows import Buffer, Key, live_bytes

# Kernels of cores with wide loads want words.
ALIGNMENT = 4
# A try costs about a microsecond for each pair of buffers.
_TRIES = 400
_TRIED_PAIRS = 150_000

_Gaps = tuple[tuple[int, int], ...]
"""Open intervals that the distance from one buffer's offset to another's must not lie in."""


@dataclass(frozen=True, slots=True)
class Placement:
    """Where the buffers lie.

    Attributes:
        offsets: of each buffer.
        bytes: that they take up.
        order: in which they were placed.
    """

    offsets: Mapping[Key, int]
    bytes: int
    order: tuple[Key, ...]


def place(
    found: Mapping[Key, Buffer], *, tries: int = _TRIES, good_enough: int = 0, like: Placement | None = None
) -> Placement:
    """Place all buffers.

    Args:
        found: what lives when.
        tries: how many orders at most; the same number gives the same placement.
        good_enough: stop at a placement of so many bytes.
        like: a placement of a similar schedule, whose order is tried first.
    """
    keys = sorted(found)
    buffers = [found[key] for key in keys]
    bound = max(good_enough, live_bytes(found) + ALIGNMENT - 1, *(buffer.size for buffer in buffers), 0)
    clashes = _clashes(buffers)
    orders = _orders(buffers)
    if like is not None:
        known = {key: place for place, key in enumerate(like.order)}
        orders.insert(0, sorted(range(len(keys)), key=lambda i: known.get(keys[i], len(known))))
    order, offsets = min(
        ((order, _first_fit(buffers, clashes, order)) for order in orders),
        key=lambda one: _extent(buffers, one[1]),
    )
    chance = random.Random(0)
    for _ in range(min(tries, _TRIED_PAIRS // max(1, len(buffers)) ** 2)):
        extent = _extent(buffers, offsets)
        if extent <= bound or len(buffers) < 2:
            break
        candidate = _moved(order, _highest(buffers, offsets, extent), chance)
        placed = _first_fit(buffers, clashes, candidate)
        if _extent(buffers, placed) <= extent:
            order, offsets = candidate, placed
    return Placement(
        dict(zip(keys, offsets, strict=True)), _extent(buffers, offsets), tuple(keys[place] for place in order)
    )


def _orders(buffers: Sequence[Buffer]) -> list[list[int]]:
    every = range(len(buffers))
    first = [int(buffer.born.min()) for buffer in buffers]
    last = [int(buffer.dies.max()) for buffer in buffers]
    size = [buffer.size for buffer in buffers]
    return [
        sorted(every, key=lambda i: (-size[i], first[i])),
        sorted(every, key=lambda i: (first[i] - last[i], -size[i])),
        sorted(every, key=lambda i: (first[i], -size[i])),
        sorted(every, key=lambda i: (-last[i], -size[i])),
    ]


def _moved(order: Sequence[int], highest: int, chance: random.Random) -> list[int]:
    """Another order: the highest buffer, or any, goes elsewhere, most often to the front."""
    candidate = list(order)
    mover = highest if chance.random() < 0.5 else chance.choice(candidate)
    position = candidate.index(mover)
    candidate.pop(position)
    candidate.insert(chance.randrange(position + 1 if chance.random() < 0.7 else len(order)), mover)
    return candidate


def _highest(buffers: Sequence[Buffer], offsets: Sequence[int], extent: int) -> int:
    return next(i for i, buffer in enumerate(buffers) if offsets[i] + buffer.size == extent)


def _extent(buffers: Sequence[Buffer], offsets: Sequence[int]) -> int:
    return max((offset + buffer.size for offset, buffer in zip(offsets, buffers, strict=True)), default=0)


def _first_fit(buffers: Sequence[Buffer], clashes: Sequence[Mapping[int, _Gaps]], order: Sequence[int]) -> list[int]:
    """Each buffer at the lowest offset where it meets none of those before."""
    offsets = [-1] * len(buffers)
    for mover in order:
        taken = [
            (offsets[other] + low, offsets[other] + high)
            for other, gaps in clashes[mover].items()
            if offsets[other] >= 0
            for low, high in gaps
        ]
        taken.sort()
        offset = 0
        for low, high in taken:
            if offset <= low:
                break
            if offset < high:
                offset = -(-high // ALIGNMENT) * ALIGNMENT
        offsets[mover] = offset
    return offsets


def _clashes(buffers: Sequence[Buffer]) -> list[dict[int, _Gaps]]:
    """For each buffer, by other buffer, where it must not begin relative to that one."""
    found: list[dict[int, _Gaps]] = [{} for _ in buffers]
    spans = [(int(buffer.born.min()), int(buffer.dies.max())) for buffer in buffers]
    for one, other in itertools.combinations(range(len(buffers)), 2):
        if spans[one][0] <= spans[other][1] and spans[other][0] <= spans[one][1]:
            gaps = _gaps(buffers[one], buffers[other])
            if gaps:
                found[other][one] = gaps
                found[one][other] = tuple((-high, -low) for low, high in gaps)
    return found


def _gaps(one: Buffer, other: Buffer) -> _Gaps:
    """Where `other` must not begin, relative to `one`."""
    meet = (one.born[:, None] <= other.dies) & (other.born <= one.dies[:, None])
    rows, columns = np.nonzero(meet)
    if not len(rows):
        return ()
    if len(rows) == meet.size:
        return ((-other.size, one.size),)
    slots, others = rows % one.slots * one.slot_bytes, columns % other.slots * other.slot_bytes
    low, high = slots - others - other.slot_bytes, slots - others + one.slot_bytes
    ascending = np.argsort(low, kind="stable")
    low, reach = low[ascending], np.maximum.accumulate(high[ascending])
    breaks = np.flatnonzero(low[1:] >= reach[:-1])
    return tuple(zip([int(low[0]), *low[breaks + 1].tolist()], [*reach[breaks].tolist(), int(reach[-1])], strict=True))
