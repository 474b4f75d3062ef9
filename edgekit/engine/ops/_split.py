"""What both operators that split along an axis share."""

from __future__ import annotations

from edgekit.engine.lowered import Lowered
from edgekit.engine.ops import _move
from edgekit.engine.ops._copy import box, copy_or_rename, strides
from edgekit.tflite.graph import Graph, Op

_AXIS_INPUT = {"SPLIT": 0, "SPLIT_V": 2}


def outputs_fill_the_input(graph: Graph, op: Op) -> str | None:
    """outputs that differ only in the size along the axis, and fill the input together"""
    before, axis = graph.tensors[_move.moved_inputs(op)[0]].shape, _axis(graph, op)
    if not 0 <= axis < len(before):
        return f"axis {axis} of {len(before)} dimensions"
    shapes = [graph.tensors[index].shape for index in op.outputs]
    others = [shape[:axis] + shape[axis + 1 :] for shape in (before, *shapes) if len(shape) == len(before)]
    fits = len(others) == len(shapes) + 1 and len(set(others)) == 1
    if fits and sum(shape[axis] for shape in shapes) == before[axis]:
        return None
    return f"{list(before)} to {[list(shape) for shape in shapes]}"


def _axis(graph: Graph, op: Op) -> int:
    rank = len(graph.tensors[_move.moved_inputs(op)[0]].shape)
    return _move.axis_of(_move.parameter(graph, op, _AXIS_INPUT[op.kind])[0], rank)


CHECKS = (*_move.CHECKS, outputs_fill_the_input)


def lower(graph: Graph, op: Op) -> tuple[Lowered, ...]:
    """Lower one split to a copy for each output."""
    source, axis = _move.moved_inputs(op)[0], _axis(graph, op)
    steps = strides(graph.tensors[source].shape)
    parts: tuple[Lowered, ...] = ()
    begin = 0
    for index in op.outputs:
        shape = graph.tensors[index].shape
        parts += copy_or_rename(graph, source, index, box(shape, steps, strides(shape), start=begin * steps[axis]))
        begin += shape[axis]
    return parts
