"""PACK: tensors of one shape along a new axis. Twin: firmware/engine/strided_copy.h."""

from __future__ import annotations

from edgekit.engine.lowered import Lowered
from edgekit.engine.ops import _move
from edgekit.engine.ops._copy import box, copy_or_rename, strides
from edgekit.tflite.graph import Graph, Op


def inputs_fill_the_output(graph: Graph, op: Op) -> str | None:
    """inputs of one shape that fill the output together"""
    after, axis = graph.tensors[op.outputs[0]].shape, _axis(graph, op)
    shapes = {graph.tensors[index].shape for index in op.inputs}
    fits = 0 <= axis < len(after) and after[axis] == len(op.inputs)
    if fits and shapes == {after[:axis] + after[axis + 1 :]}:
        return None
    return f"{[list(shape) for shape in shapes]} to {list(after)} on axis {axis}"


def _axis(graph: Graph, op: Op) -> int:
    return _move.axis_of(int(op.options.get("axis", 0)), len(graph.tensors[op.outputs[0]].shape))


CHECKS = (*_move.CHECKS, inputs_fill_the_output)


def lower(graph: Graph, op: Op) -> tuple[Lowered, ...]:
    """Lower one packing to a copy for each input."""
    after, axis = graph.tensors[op.outputs[0]].shape, _axis(graph, op)
    steps = strides(after)
    parts: tuple[Lowered, ...] = ()
    for position, index in enumerate(op.inputs):
        shape = graph.tensors[index].shape
        moved = box(shape, strides(shape), steps[:axis] + steps[axis + 1 :], into=position * steps[axis])
        parts += copy_or_rename(graph, index, op.outputs[0], moved)
    return parts
