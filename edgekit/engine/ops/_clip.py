"""RELU_N1_TO_1 and RELU_0_TO_1, which TFLite Micro has only as fused activations: LiteRT's reference kernels judge.

Twin: firmware/engine/table_s8.h.
"""

from __future__ import annotations

import numpy as np

from edgekit.engine.lowered import Lowered, code_of, scale_of
from edgekit.engine.ops import _unary
from edgekit.engine.ops._fixed_point import clamped
from edgekit.tflite.graph import Graph, Op

CHECKS = _unary.INT8


def quantized(graph: Graph, op: Op, real: float) -> int:
    """Return the output's code of a real number, held within its type."""
    after = graph.tensors[op.outputs[0]]
    return clamped(code_of(real, after), *_unary.LIMITS[after.dtype])


def lower_clip(graph: Graph, op: Op, low: float, high: float) -> Lowered:
    """Lower to a table: another scale, for which LiteRT divides in single precision, and a clamp to real numbers."""
    before, after = _unary.before_after(graph, op)
    ratio = float(np.float32(scale_of(before)) / np.float32(scale_of(after)))
    return _unary.lower_linear(graph, op, ratio, ratio, (quantized(graph, op, low), quantized(graph, op, high)))
