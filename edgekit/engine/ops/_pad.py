"""What both operators that pad with a constant share."""

from __future__ import annotations

from edgekit.engine.lowered import Lowered, row_shape
from edgekit.engine.ops import _move
from edgekit.engine.ops._copy import Fill, box, copy, copy_or_rename, strides
from edgekit.tflite.graph import Graph, Op


def paddings_give_the_output(graph: Graph, op: Op) -> str | None:
    """paddings of 0 and more, two a dimension, that give the output's shape"""
    before, after = graph.tensors[op.inputs[0]].shape, graph.tensors[op.outputs[0]].shape
    sides = _move.parameter(graph, op, 1)
    came = f"paddings {list(sides)} of {list(before)} to {list(after)}"
    if len(sides) != 2 * len(before) or len(before) != len(after) or min(sides, default=0) < 0:
        return came
    padded = tuple(size + sides[2 * axis] + sides[2 * axis + 1] for axis, size in enumerate(before))
    return None if padded == after else came


CHECKS = (*_move.CHECKS, paddings_give_the_output)


def lower(graph: Graph, op: Op, value: int) -> tuple[Lowered, ...]:
    """Lower one padding to rows that are filled before the input is copied into them."""
    source, target = op.inputs[0], op.outputs[0]
    before, after = graph.tensors[source].shape, graph.tensors[target].shape
    steps = strides(after)
    into = sum(first * step for first, step in zip(_move.parameter(graph, op, 1)[::2], steps, strict=True))
    moved = box(before, strides(before), steps, into=into)
    if before == after:
        return copy_or_rename(graph, source, target, moved)
    return copy(graph, source, target, moved, Fill(value, 0, row_shape(graph.tensors[target])[0]))
