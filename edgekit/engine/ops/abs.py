"""ABS. Twins: firmware/engine/table_s8.h, linear_s16.h."""

from __future__ import annotations

from edgekit.engine.lowered import Lowered
from edgekit.engine.ops import _unary
from edgekit.tflite.graph import Graph, Op

CHECKS = _unary.INT8_OR_INT16


def lower(graph: Graph, op: Op) -> Lowered:
    """Lower one absolute value."""
    ratio = _unary.ratio_of_scales(graph, op)
    return _unary.lower_linear(graph, op, ratio, -ratio, mirrored=True)
