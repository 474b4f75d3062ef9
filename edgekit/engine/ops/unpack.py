"""UNPACK: one tensor for each index of an axis. Twin: firmware/engine/strided_copy.h."""

from __future__ import annotations

from edgekit.engine.lowered import Lowered
from edgekit.engine.ops import _move
from edgekit.engine.ops._copy import box, copy_or_rename, strides
from edgekit.tflite.graph import Graph, Op


def outputs_are_slices(graph: Graph, op: Op) -> str | None:
    """an output for each index of the axis"""
    before, axis = graph.tensors[op.inputs[0]].shape, _axis(graph, op)
    shapes = {graph.tensors[index].shape for index in op.outputs}
    fits = 0 <= axis < len(before) and before[axis] == len(op.outputs)
    if fits and shapes == {before[:axis] + before[axis + 1 :]}:
        return None
    return f"{list(before)} to {[list(shape) for shape in shapes]} on axis {axis}"


def _axis(graph: Graph, op: Op) -> int:
    return _move.axis_of(int(op.options.get("axis", 0)), len(graph.tensors[op.inputs[0]].shape))


CHECKS = (*_move.CHECKS, outputs_are_slices)


def lower(graph: Graph, op: Op) -> tuple[Lowered, ...]:
    """Lower one unpacking to a copy for each output."""
    axis = _axis(graph, op)
    steps = strides(graph.tensors[op.inputs[0]].shape)
    parts: tuple[Lowered, ...] = ()
    for position, index in enumerate(op.outputs):
        shape = graph.tensors[index].shape
        moved = box(shape, steps[:axis] + steps[axis + 1 :], strides(shape), start=position * steps[axis])
        parts += copy_or_rename(graph, op.inputs[0], index, moved)
    return parts
