"""CONCATENATION. Twin: firmware/engine/strided_copy.h."""

from __future__ import annotations

from edgekit.engine.lowered import Lowered
from edgekit.engine.ops import _move
from edgekit.engine.ops._checks import has_no_activation
from edgekit.engine.ops._copy import box, copy_or_rename, strides
from edgekit.tflite.graph import Graph, Op


def inputs_fill_the_output(graph: Graph, op: Op) -> str | None:
    """inputs that differ only in the size along the axis, and fill the output together"""
    after = graph.tensors[op.outputs[0]].shape
    axis = _axis(graph, op)
    if not 0 <= axis < len(after):
        return f"axis {op.options.get('axis', 0)} of {len(after)} dimensions"
    shapes = [graph.tensors[index].shape for index in op.inputs]
    others = [shape[:axis] + shape[axis + 1 :] for shape in (after, *shapes) if len(shape) == len(after)]
    fits = len(others) == len(shapes) + 1 and len(set(others)) == 1
    if fits and sum(shape[axis] for shape in shapes) == after[axis]:
        return None
    return f"{[list(shape) for shape in shapes]} to {list(after)}"


def _axis(graph: Graph, op: Op) -> int:
    return _move.axis_of(int(op.options.get("axis", 0)), len(graph.tensors[op.outputs[0]].shape))


CHECKS = (*_move.CHECKS, has_no_activation, inputs_fill_the_output)


def lower(graph: Graph, op: Op) -> tuple[Lowered, ...]:
    """Lower one concatenation to a copy for each input."""
    after, axis = graph.tensors[op.outputs[0]].shape, _axis(graph, op)
    parts: tuple[Lowered, ...] = ()
    begin = 0
    for index in op.inputs:
        shape = graph.tensors[index].shape
        moved = box(shape, strides(shape), strides(after), into=begin * strides(after)[axis])
        parts += copy_or_rename(graph, index, op.outputs[0], moved)
        begin += shape[axis]
    return parts
