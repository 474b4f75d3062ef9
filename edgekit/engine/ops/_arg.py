"""What ARG_MAX and ARG_MIN share. Twin: firmware/engine/arg_extreme_s8.h."""

from __future__ import annotations

from edgekit.engine.lowered import Lowered
from edgekit.engine.ops import _move
from edgekit.engine.ops._copy import strides
from edgekit.engine.ops._reduce import axes_fields, walks
from edgekit.tflite.graph import Graph, Op


def types_fit(graph: Graph, op: Op) -> str | None:
    """an int8 input and an int32 output"""
    before, after = graph.tensors[op.inputs[0]], graph.tensors[op.outputs[0]]
    return None if (before.dtype, after.dtype) == ("int8", "int32") else f"{before.dtype} to {after.dtype}"


def axis_fits(graph: Graph, op: Op) -> str | None:
    """one constant axis of an input of one to six dimensions, and an output without it"""
    before, after = graph.tensors[op.inputs[0]].shape, graph.tensors[op.outputs[0]].shape
    numbers = graph.tensors[op.inputs[1]]
    if numbers.data is None or numbers.elements != 1 or not 1 <= len(before) <= 6:
        return f"{numbers.elements} axes, {'computed' if numbers.data is None else 'constant'}, of {list(before)}"
    axis = _axis(graph, op)
    fits = 0 <= axis < len(before) and after == before[:axis] + before[axis + 1 :]
    return None if fits else f"{list(before)} along axis {axis} to {list(after)}"


def _axis(graph: Graph, op: Op) -> int:
    return _move.axis_of(_move.parameter(graph, op, 1)[0], len(graph.tensors[op.inputs[0]].shape))


CHECKS = (types_fit, axis_fits)


def lower(graph: Graph, op: Op, *, sign: int) -> Lowered:
    """Lower one search; a sign of 1 looks for the largest element, -1 for the smallest."""
    shape, axis = graph.tensors[op.inputs[0]].shape, _axis(graph, op)
    kept, _ = walks(shape, {axis})
    fields = {"kept": axes_fields(kept), "count": shape[axis], "step": strides(shape)[axis], "sign": sign}
    return Lowered("arg_extreme_s8", fields, (), (op.inputs[0],), op.outputs[0])
