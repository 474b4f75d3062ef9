"""When each row of each place lives: time has a tick for each row of work.

While a row is computed it lives together with the rows that it is computed from and with the scratch memory. Behind
its last reader it is dead, and its bytes are free for any other row.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from edgekit.engine.memory.access import Access, Span
from edgekit.engine.types import STREAMED, Step

_NEVER = 1 << 60

Key = tuple[str, int]
"""("tensor", root) or ("scratch", layer)."""


@dataclass(frozen=True, slots=True, eq=False)
class Buffer:
    """Bytes of the arena in which rows lie: row r in slot r % slots.

    Attributes:
        born, dies: the ticks in which row r is written, and is read last, both inclusive.
        slot_bytes: of a row.
        slots: as many as there are rows, or fewer: a ring.
    """

    born: NDArray[np.int64]
    dies: NDArray[np.int64]
    slot_bytes: int
    slots: int

    @property
    def size(self) -> int:
        """All of its bytes."""
        return self.slot_bytes * self.slots


@dataclass(frozen=True, slots=True, eq=False)
class _Ticks:
    """The ticks of one layer's rows of work.

    Attributes:
        at: of the row itself.
        begin, end: the first and the last of the step that it belongs to.
    """

    at: NDArray[np.int64]
    begin: NDArray[np.int64]
    end: NDArray[np.int64]


def buffers(access: Access, steps: Sequence[Step], rings: Mapping[int, int] | None = None) -> dict[Key, Buffer]:
    """Return the rows of all places and of all scratch memory.

    Args:
        access: what the layers touch.
        steps: what is computed when.
        rings: root -> rows kept at once, for those places that do not keep all; None takes the fewest that do.
    """
    ticks, end = _ticks(access, steps)
    born, dies = _born_and_dead(access, ticks, end)
    found: dict[Key, Buffer] = {}
    for root, place in access.places.items():
        if (born[root] < _NEVER).any():
            last = np.where(born[root] < _NEVER, np.maximum(dies[root], born[root]), -2)
            if rings is not None:
                slots = min(rings.get(root, place.units), place.units)
            else:
                slots = _fewest_slots(born[root], last) if place.may_ring else place.units
            found["tensor", root] = Buffer(born[root], last, place.unit_bytes, slots)
    for layer, of_layer in ticks.items():
        work = access.work.get(layer)
        if work is not None and work.scratch_bytes:
            first, last = (np.unique(bound) for bound in (of_layer.begin, of_layer.end))
            if work.keeps_scratch:
                first, last = first[:1], last[-1:]
            found["scratch", layer] = Buffer(first, last, work.scratch_bytes, 1)
    return found


def live_bytes(found: Mapping[Key, Buffer]) -> int:
    """Return the most bytes that live at one tick: no placement can be smaller."""
    last = max((int(buffer.dies.max()) for buffer in found.values()), default=0)
    return int(_changes(found, last).cumsum().max(initial=0))


def live_over_time(found: Mapping[Key, Buffer], ticks: int) -> NDArray[np.int64]:
    """Return the bytes that live at each of so many ticks."""
    return _changes(found, ticks).cumsum()[1 : ticks + 1]


def _changes(found: Mapping[Key, Buffer], last: int) -> NDArray[np.int64]:
    """By how many bytes the live ones change, from tick -1 on."""
    change = np.zeros(last + 3, np.int64)
    for buffer in found.values():
        lives = buffer.born < _NEVER
        np.add.at(change, buffer.born[lives] + 1, buffer.slot_bytes)
        np.add.at(change, np.minimum(buffer.dies[lives], last) + 2, -buffer.slot_bytes)
    return change


def _ticks(access: Access, steps: Sequence[Step]) -> tuple[dict[int, _Ticks], int]:
    """The ticks of all layers, and the tick behind the last."""
    ticks: dict[int, _Ticks] = {}
    now = 0
    for step in steps:
        if step.layer not in ticks:
            rows = access.places[access.inputs[0]].units if step.layer == STREAMED else access.work[step.layer].rows
            ticks[step.layer] = _Ticks(*(np.full(rows, _NEVER) for _ in range(3)))
        of_layer, behind = ticks[step.layer], now + step.row_end - step.row_begin
        of_layer.at[step.row_begin : step.row_end] = np.arange(now, behind)
        of_layer.begin[step.row_begin : step.row_end] = now
        of_layer.end[step.row_begin : step.row_end] = behind - 1
        now = behind
    return ticks, now


def _born_and_dead(
    access: Access, ticks: Mapping[int, _Ticks], end: int
) -> tuple[dict[int, NDArray[np.int64]], dict[int, NDArray[np.int64]]]:
    born = {root: np.full(place.units, _NEVER) for root, place in access.places.items()}
    dies = {root: np.full(place.units, -1) for root, place in access.places.items()}
    for layer, of_layer in ticks.items():
        if layer == STREAMED:
            born[access.inputs[0]][:] = of_layer.at
            continue
        work = access.work[layer]
        _earliest(born[work.write.root], work.write, of_layer.at if work.by_rows else of_layer.begin)
        # What is written lives until then even if nobody reads it, or if another layer wrote its first part.
        for span in (work.write, *work.reads):
            _latest(dies[span.root], span, of_layer.at if work.by_rows else of_layer.end)
    for root in (*access.states, *(() if STREAMED in ticks else access.inputs)):
        born[root][:] = -1
    for root in (*access.states, *access.outputs):
        dies[root][:] = end
    return born, dies


def _earliest(born: NDArray[np.int64], span: Span, at: NDArray[np.int64]) -> None:
    for row, tick in _each(span, at):
        np.minimum.at(born, row, tick)


def _latest(dies: NDArray[np.int64], span: Span, at: NDArray[np.int64]) -> None:
    if span.is_whole:
        np.maximum(dies, at.max(), out=dies)
        return
    for row, tick in _each(span, at):
        np.maximum.at(dies, row, tick)


def _each(span: Span, at: NDArray[np.int64]) -> list[tuple[NDArray[np.int64], NDArray[np.int64]]]:
    """Units and ticks: the first of each row of work, the second of each, and so on."""
    width = int((span.last - span.first).max(initial=0))
    pairs = []
    for number in range(width):
        inside = span.first + number < span.last
        pairs.append((span.first[inside] + number, at[inside]))
    return pairs


def _fewest_slots(born: NDArray[np.int64], dies: NDArray[np.int64]) -> int:
    """The smallest ring: row r + slots is born behind the death of row r."""
    if (np.diff(born) < 0).any():
        return len(born)
    follower = np.searchsorted(born, dies, side="right")
    return max(1, int((follower - np.arange(len(born))).max()))
