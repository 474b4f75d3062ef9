"""RELU. Twins: firmware/engine/table_s8.h, linear_s16.h."""

from __future__ import annotations

from edgekit.engine.lowered import Lowered, zero_point_of
from edgekit.engine.ops import _unary
from edgekit.tflite.graph import Graph, Op

CHECKS = _unary.INT8_OR_INT16


def lower(graph: Graph, op: Op) -> Lowered:
    """Lower one ReLU, with another scale behind it where the model wants one."""
    after = graph.tensors[op.outputs[0]]
    ratio = _unary.ratio_of_scales(graph, op)
    return _unary.lower_linear(graph, op, ratio, ratio, (zero_point_of(after), _unary.LIMITS[after.dtype][1]))
