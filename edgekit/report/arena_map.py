"""The arena over time: which bytes hold what in which step, as rectangles, and as a map of letters."""

from __future__ import annotations

import string
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from edgekit.engine.memory import live_rows
from edgekit.engine.memory.access import access
from edgekit.engine.types import STREAMED

if TYPE_CHECKING:
    from edgekit.engine.memory.live_rows import Buffer
    from edgekit.engine.program import Program

LETTERS = string.ascii_uppercase + string.ascii_lowercase
OTHERS = "*"
FREE = "·"


@dataclass(frozen=True, slots=True)
class Piece:
    """Bytes [offset, offset + bytes) that are in use from `begin` to `end`, counted in steps."""

    begin: float
    end: float
    offset: int
    bytes: int


@dataclass(frozen=True, slots=True)
class Band:
    """All that one tensor, or the work memory of one layer, takes of the arena.

    Attributes:
        name: of the tensor, or of the layer.
        kind: "tensor", "state" or "scratch".
        rows, all_rows: how many are kept at once, of how many.
        pieces: rows that live equally long are one.
    """

    name: str
    kind: str
    rows: int
    all_rows: int
    pieces: tuple[Piece, ...]

    @property
    def bytes(self) -> int:
        """What is reserved for it."""
        return max(piece.offset + piece.bytes for piece in self.pieces) - min(piece.offset for piece in self.pieces)

    @property
    def area(self) -> float:
        """Bytes times steps."""
        return sum((piece.end - piece.begin) * piece.bytes for piece in self.pieces)


def bands(made: Program) -> tuple[Band, ...]:
    """Return what lies in a program's arena, in the order in which it begins."""
    touched = access(made.graph, made.lowered)
    rings = {touched.owner[tensor]: rows for tensor, rows in made.schedule.ring_rows.items()}
    found = live_rows.buffers(touched, made.schedule.steps, rings)
    starts = np.cumsum([0, *(step.row_end - step.row_begin for step in made.schedule.steps)])
    drawn = []
    for (kind, index), buffer in found.items():
        if kind == "scratch":
            offset, name, rows = made.memory.scratch[index][0], made.lowered[index].name, 1
        else:
            offset, name, rows = made.memory.offsets[index], made.graph.tensors[index].name, len(buffer.born)
            kind = "state" if index in touched.states else kind
        pieces = _pieces(buffer, offset, starts)
        if pieces:
            drawn.append(Band(name, kind, min(buffer.slots, rows), rows, pieces))
    return tuple(sorted(drawn, key=lambda band: (min(piece.begin for piece in band.pieces), band.pieces[0].offset)))


def _pieces(buffer: Buffer, offset: int, starts: NDArray[np.int64]) -> tuple[Piece, ...]:
    merged: list[Piece] = []
    for row, (born, dies) in enumerate(zip(buffer.born, buffer.dies, strict=True)):
        if dies < born:
            continue
        begin, end = _in_steps(int(born), starts), _in_steps(int(dies) + 1, starts)
        place = offset + row % buffer.slots * buffer.slot_bytes
        last = merged[-1] if merged else None
        if last is not None and (last.begin, last.end, last.offset + last.bytes) == (begin, end, place):
            merged[-1] = Piece(begin, end, last.offset, last.bytes + buffer.slot_bytes)
        else:
            merged.append(Piece(begin, end, place, buffer.slot_bytes))
    return tuple(piece for piece in merged if piece.end > piece.begin)


def _in_steps(tick: int, starts: NDArray[np.int64]) -> float:
    """A moment, counted in rows of work, as one counted in steps."""
    if tick <= 0 or len(starts) < 2:
        return 0.0
    if tick >= starts[-1]:
        return float(len(starts) - 1)
    step = int(np.searchsorted(starts, tick, side="right")) - 1
    return step + float(tick - starts[step]) / float(starts[step + 1] - starts[step])


def layer_of_step(made: Program, step: int) -> str:
    """Return what a step computes, e.g. ``5 CONV_2D``."""
    layer = made.schedule.steps[step].layer
    if layer == STREAMED:
        return "input"
    op = made.graph.ops[made.lowered[layer].op]
    return f"{op.index} {op.kind}"


def letters(found: Sequence[Band]) -> dict[int, str]:
    """Return the letter of each band: those that fill most have one of their own."""
    largest = sorted(range(len(found)), key=lambda index: -found[index].area)[: len(LETTERS)]
    own = dict(zip(sorted(largest), LETTERS, strict=False))
    return {index: own.get(index, OTHERS) for index in range(len(found))}


def grid(found: Sequence[Band], steps: int, arena_bytes: int, columns: int, rows: int) -> list[str]:
    """Return the map as lines, high addresses first: in each cell the letter of what fills most of it."""
    shares = np.zeros((len(found), rows, columns))
    for index, band in enumerate(found):
        for piece in band.pieces:
            across = _shares(piece.begin * columns / steps, piece.end * columns / steps, columns)
            along = _shares(piece.offset * rows / arena_bytes, (piece.offset + piece.bytes) * rows / arena_bytes, rows)
            shares[index] += along[:, None] * across[None, :]
    names = letters(found)
    signs = np.array([names[index] for index in range(len(found))])
    cells = np.where(shares.max(axis=0) > 0, signs[shares.argmax(axis=0)], FREE)
    return ["".join(line) for line in cells[::-1]]


def _shares(begin: float, end: float, cells: int) -> NDArray[np.float64]:
    """How much of each cell [i, i + 1) lies in [begin, end)."""
    edges = np.arange(cells)
    shares: NDArray[np.float64] = np.clip(np.minimum(edges + 1, end) - np.maximum(edges, begin), 0, 1)
    return shares
