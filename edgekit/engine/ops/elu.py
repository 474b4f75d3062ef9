"""ELU. Twin: firmware/engine/table_s8.h."""

from __future__ import annotations

import math

import numpy as np

from edgekit.engine.lowered import Lowered, scale_of, zero_point_of
from edgekit.engine.ops import _unary
from edgekit.engine.ops._fixed_point import clamped
from edgekit.engine.ops._table import lower_table
from edgekit.tflite.graph import Graph, Op


def scales_are_near(graph: Graph, op: Op) -> str | None:
    """an output scale above 2^-100, and an input scale below 2^24 times that"""
    before, after = _unary.before_after(graph, op)
    is_fine = scale_of(after) > 2.0**-100 and scale_of(before) < 2.0**24 * scale_of(after)
    return None if is_fine else f"scales {scale_of(before):g} and {scale_of(after):g}"


CHECKS = (*_unary.INT8, scales_are_near)


def lower(graph: Graph, op: Op) -> Lowered:
    """Lower one ELU to a table, made in single precision as TFLite Micro makes its own."""
    before, after = _unary.before_after(graph, op)
    scale, inverse = np.float32(scale_of(before)), np.float32(1) / np.float32(scale_of(after))

    def value(code: int) -> int:
        x = scale * np.float32(code - zero_point_of(before))
        y = np.float32(math.exp(x)) - np.float32(1) if x < 0 else x
        steps = float(y * inverse)
        rounded = math.floor(steps + 0.5) if steps >= 0 else math.ceil(steps - 0.5)
        return clamped(rounded + zero_point_of(after), -128, 127)

    return lower_table(graph, op, value)
