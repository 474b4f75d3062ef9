"""LEAKY_RELU. Twins: firmware/engine/table_s8.h, linear_s16.h."""

from __future__ import annotations

import numpy as np

from edgekit.engine.lowered import Lowered, scale_of
from edgekit.engine.ops import _unary
from edgekit.tflite.graph import Graph, Op

CHECKS = _unary.INT8_OR_INT16


def lower(graph: Graph, op: Op) -> Lowered:
    """Lower one leaky ReLU."""
    before, after = _unary.before_after(graph, op)
    alpha = float(np.float32(op.options.get("alpha", 0.0)))
    slope = scale_of(before) * alpha / scale_of(after)
    return _unary.lower_linear(graph, op, _unary.ratio_of_scales(graph, op), slope)
