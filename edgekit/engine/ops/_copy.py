"""Copies of boxes, to which operators that only move elements lower. Twin: firmware/engine/strided_copy.h."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from edgekit.engine.lowered import Constant, Lowered, RowsRead, row_shape
from edgekit.tflite.graph import Graph, Op, Tensor

# Loops in an output row that the kernel has; more become parts.
_LOOPS = 5


@dataclass(frozen=True, slots=True)
class Loop:
    """One dimension of a box: `count` positions, that many elements apart in the source and in the target."""

    count: int
    source: int
    target: int


@dataclass(frozen=True, slots=True)
class Box:
    """Which elements of one tensor go where in another.

    Attributes:
        loops: the outermost of the target first.
        source: element of the source at which it begins.
        target: element of the target at which it begins.
    """

    loops: tuple[Loop, ...]
    source: int = 0
    target: int = 0


@dataclass(frozen=True, slots=True)
class Fill:
    """Elements that no copy reaches: whole target rows [first, first + count) hold `value` before the copy."""

    value: int
    first: int
    count: int


def strides(shape: Sequence[int]) -> tuple[int, ...]:
    """Return how many elements each dimension's next index is away.

    Example:
        >>> strides((2, 3, 4))
        (12, 4, 1)
    """
    return tuple(int(np.prod(shape[axis + 1 :], dtype=np.int64)) for axis in range(len(shape)))


def box(counts: Sequence[int], source: Sequence[int], target: Sequence[int], *, start: int = 0, into: int = 0) -> Box:
    """Return the box of `counts` with these strides, from element `start` of the source to `into` of the target."""
    loops = tuple(Loop(*sizes) for sizes in zip(counts, source, target, strict=True))
    return Box(loops, start, into)


# Moves nothing: what is left of a copy is its fill.
NOTHING = Box((Loop(0, 0, 0),))


def copy(graph: Graph, source: int, target: int, moved: Box, fill: Fill | None = None) -> tuple[Lowered, ...]:
    """Lower a box to copies that together write it.

    Args:
        graph: the model.
        source, target: tensors.
        moved: what goes where; inside both tensors.
        fill: rows to fill first; then the box has one loop over rows at most.

    Returns:
        One part, or several where one copy cannot walk the box row by row.
    """
    _, row = row_shape(graph.tensors[target])
    loops = [loop for loop in moved.loops if loop.count != 1]
    over_rows = sorted((loop for loop in loops if loop.target % row == 0), key=lambda loop: loop.count)
    inside = _merged([loop for loop in loops if loop.target % row])
    run = 1
    if inside and inside[-1].source == inside[-1].target == 1:
        run = inside.pop().count
    rows = over_rows.pop() if over_rows else Loop(1, 0, row)
    unrolled = [*over_rows, *inside[: max(0, len(inside) - _LOOPS)]]
    inside = inside[-_LOOPS:]
    assert fill is None or not unrolled, "a filled copy has one part"
    parts = []
    for indices in itertools.product(*(range(loop.count) for loop in unrolled)):
        start = moved.source + sum(i * loop.source for i, loop in zip(indices, unrolled, strict=True))
        into = moved.target + sum(i * loop.target for i, loop in zip(indices, unrolled, strict=True))
        fields = _fields(graph.tensors[source], graph.tensors[target], Box((rows, *inside), start, into), run, fill)
        constants = (_loop_table(inside, graph.tensors[target]),) if inside else ()
        parts.append(Lowered("strided_copy", fields, constants, (source,), target, rows_read=(_rows_read(fields),)))
    return tuple(parts)


def copy_or_rename(graph: Graph, source: int, target: int, moved: Box) -> tuple[Lowered, ...]:
    """Lower a box that fills the target; where the target equals the source, it is only another name for it."""
    loops = _merged([loop for loop in moved.loops if loop.count > 1])
    before = graph.tensors[source]
    whole = before.elements == graph.tensors[target].elements and not moved.source and not moved.target
    same = whole and (not loops or (len(loops) == 1 and loops[0] == Loop(before.elements, 1, 1)))
    if same and before.data is None and not before.is_variable:
        return (Lowered("", {}, (), (source,), target),)
    return copy(graph, source, target, moved)


def rename(graph: Graph, op: Op, source: int) -> tuple[Lowered, ...]:
    """Lower an operator whose output has the elements of tensor `source` in the same order."""
    shape = graph.tensors[op.outputs[0]].shape
    return copy_or_rename(graph, source, op.outputs[0], box(shape, strides(shape), strides(shape)))


def _merged(loops: Sequence[Loop]) -> list[Loop]:
    """Neighbors that walk on where the other ends become one."""
    merged: list[Loop] = []
    for loop in loops:
        if merged and (merged[-1].source, merged[-1].target) == (loop.source * loop.count, loop.target * loop.count):
            outer = merged.pop()
            loop = Loop(outer.count * loop.count, loop.source, loop.target)
        merged.append(loop)
    return merged


def _loop_table(loops: Sequence[Loop], target: Tensor) -> Constant:
    """The loops in a row, steps in bytes."""
    size = np.dtype(target.dtype).itemsize
    table = [number for loop in loops for number in (loop.count, loop.source * size, loop.target * size)]
    return Constant("loop", np.array(table, np.int32), f"({len(loops)}, 3): count, input step, output step")


def _rows_read(fields: Mapping[str, Any]) -> RowsRead | None:
    """Which rows of the source a copy reads for a row of the target, where they move on with it."""
    step = fields["input_row_step"]
    if step <= 0 or fields["row_step"] != 1:
        return None
    return RowsRead(step, fields["row_first"] * step - fields["input_row"])


def _fields(source: Tensor, target: Tensor, part: Box, run: int, fill: Fill | None) -> dict[str, Any]:
    """The settings of one copy; the first loop of the box is the one over rows."""
    size = np.dtype(target.dtype).itemsize
    rows, *inside = part.loops
    _, row = row_shape(target)
    _, source_row = row_shape(source)
    low = part.source % source_row + sum(min(0, (loop.count - 1) * loop.source) for loop in inside)
    high = part.source % source_row + run + sum(max(0, (loop.count - 1) * loop.source) for loop in inside)
    # A copy that stays in one row of the source for each of the target can read rows from a ring.
    by_rows = rows.source % source_row == 0 and low >= 0 and high <= source_row and rows.source != 0
    return {
        "element_bytes": size,
        "run_bytes": run * size,
        "loops": len(inside),
        "loop": "loop" if inside else None,
        "row_first": part.target // row,
        "row_count": rows.count,
        "row_step": max(1, rows.target // row),
        "output_offset": part.target % row * size,
        "input_row": part.source // source_row if by_rows else 0,
        "input_row_step": rows.source // source_row if by_rows else 0,
        "input_offset": (part.source % source_row if by_rows else part.source) * size,
        "input_stride": 0 if by_rows else rows.source * size,
        "fill_first": fill.first if fill else 0,
        "fill_count": fill.count if fill else 0,
        "fill_value": fill.value if fill else 0,
    }
