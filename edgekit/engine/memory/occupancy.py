"""What lies where in the arena, when, and what makes its peak: the facts behind a map of memory over time."""

from __future__ import annotations

import itertools
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from edgekit.engine.memory import live_rows
from edgekit.engine.memory.access import Access, access
from edgekit.engine.memory.live_rows import Buffer, Key
from edgekit.engine.program import Program


@dataclass(frozen=True, slots=True)
class Block:
    """Bytes of the arena that belong to one tensor or to the scratch memory of one layer.

    Attributes:
        name: of the tensor, or of the layer.
        kind: "tensor", "state" or "scratch".
        offset, bytes: where it lies. Blocks overlap where rows of one take the place of dead rows of another.
        first_step, last_step: both inclusive; -1 is before the first step, the number of steps behind the last.
        rows: how many lie in it at once.
        all_rows: how many there are; more than `rows` in a ring.
        peak_bytes: of it that live when most of the arena does.
    """

    name: str
    kind: str
    offset: int
    bytes: int
    first_step: int
    last_step: int
    rows: int
    all_rows: int
    peak_bytes: int


@dataclass(frozen=True, slots=True)
class Occupancy:
    """The arena over time.

    Attributes:
        arena_bytes: its size.
        blocks: by offset.
        live_bytes: for each step, the most bytes of rows and scratch memory that live at one of its rows.
        peak_step: the first step in which most bytes live; -1 where the model has no steps.
        at_peak: the blocks that live then, the largest share first.
    """

    arena_bytes: int
    blocks: tuple[Block, ...]
    live_bytes: tuple[int, ...]
    peak_step: int
    at_peak: tuple[Block, ...]


def occupancy(made: Program) -> Occupancy:
    """Return what lies where in a program's arena, and when."""
    touched = access(made.graph, made.lowered)
    rings = {touched.owner[tensor]: rows for tensor, rows in made.schedule.ring_rows.items()}
    found = live_rows.buffers(touched, made.schedule.steps, rings)
    starts = np.cumsum([0, *(step.row_end - step.row_begin for step in made.schedule.steps)])
    live = live_rows.live_over_time(found, int(starts[-1]))
    by_step = tuple(int(live[first:behind].max()) for first, behind in itertools.pairwise(starts))
    tick = int(live.argmax()) if by_step else -1
    blocks = tuple(
        sorted(
            (_block(made, touched, key, buffer, starts, tick) for key, buffer in found.items()),
            key=lambda block: (block.offset, block.first_step),
        )
    )
    return Occupancy(
        arena_bytes=made.memory.arena_bytes,
        blocks=blocks,
        live_bytes=by_step,
        peak_step=int(np.searchsorted(starts, tick, side="right")) - 1 if by_step else -1,
        at_peak=tuple(sorted((one for one in blocks if one.peak_bytes), key=lambda block: -block.peak_bytes)),
    )


def _block(made: Program, touched: Access, key: Key, buffer: Buffer, starts: NDArray[np.int64], tick: int) -> Block:
    kind, index = key
    exists = buffer.dies >= -1
    first, last = int(buffer.born[exists].min()), int(buffer.dies.max())
    steps = len(made.schedule.steps)
    if kind == "tensor":
        offset, name = made.memory.offsets[index], made.graph.tensors[index].name
        kind = "state" if index in touched.states else kind
    else:
        offset, name = made.memory.scratch[index][0], made.lowered[index].name
    alive = int(((buffer.born <= tick) & (buffer.dies >= tick)).sum())
    return Block(
        name=name,
        kind=kind,
        offset=offset,
        bytes=buffer.size,
        first_step=-1 if first < 0 else int(np.searchsorted(starts, first, side="right")) - 1,
        last_step=-1 if last < 0 else min(steps, int(np.searchsorted(starts, last, side="right")) - 1),
        rows=buffer.slots,
        all_rows=len(buffer.born) if kind != "scratch" else 1,
        peak_bytes=min(alive, buffer.slots) * buffer.slot_bytes,
    )
