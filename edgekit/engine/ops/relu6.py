"""RELU6. Twins: firmware/engine/table_s8.h, linear_s16.h.

TFLite Micro's stand-alone RELU6 clamps the input's codes and ignores the output's scale, so it is right only where both
scales are equal; LiteRT's rescales. Only where the two agree is the operator taken.
"""

from __future__ import annotations

from edgekit.engine.lowered import Lowered, zero_point_of
from edgekit.engine.ops import _clip, _unary
from edgekit.tflite.graph import Graph, Op


def scales_are_equal(graph: Graph, op: Op) -> str | None:
    """equal scale and zero point in and out (TFLite Micro ignores another scale; `edgekit convert` rewrites that)"""
    before, after = _unary.before_after(graph, op)
    return None if before.quant == after.quant else f"{before.quant} to {after.quant}"


CHECKS = (*_unary.INT8_OR_INT16, scales_are_equal)


def lower(graph: Graph, op: Op) -> Lowered:
    """Lower one clamp to [0, 6]."""
    limits = zero_point_of(graph.tensors[op.outputs[0]]), _clip.quantized(graph, op, 6.0)
    return _unary.lower_linear(graph, op, 1.0, 1.0, limits)
