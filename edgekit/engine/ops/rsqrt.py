"""RSQRT. Twin: firmware/engine/table_s8.h."""

from __future__ import annotations

import math

import numpy as np

from edgekit.engine.lowered import Lowered, scale_of, zero_point_of
from edgekit.engine.multiplier import quantize_multiplier
from edgekit.engine.ops import _unary
from edgekit.engine.ops._fixed_point import clamped, inverse_square_root, requantize
from edgekit.engine.ops._table import lower_table
from edgekit.tflite.graph import Graph, Op

CHECKS = _unary.INT8
_EXTRA_BITS = 20


def lower(graph: Graph, op: Op) -> Lowered:
    """Lower one 1 / sqrt(x), by TFLite's five Newton steps.

    TFLite Micro stops the inference at a number below zero; here it gives the largest output, as zero does.
    """
    before, after = _unary.before_after(graph, op)
    root = np.sqrt(np.float32(scale_of(before))) * np.float32(scale_of(after))
    multiplier, shift = quantize_multiplier(1 / float(root) if root else math.inf)

    def value(code: int) -> int:
        x = code - zero_point_of(before)
        if x <= 0:
            return 127
        root_multiplier, root_shift = inverse_square_root(x)
        inverse = requantize(1, root_multiplier, root_shift + _EXTRA_BITS)
        return clamped(requantize(inverse, multiplier, shift - _EXTRA_BITS) + zero_point_of(after), -128, 127)

    return lower_table(graph, op, value)
