"""PRELU. Twin: firmware/engine/prelu_s8.h."""

from __future__ import annotations

from edgekit.engine.lowered import Lowered, scale_of, zero_point_of
from edgekit.engine.multiplier import quantize_multiplier
from edgekit.engine.ops import _binary
from edgekit.engine.ops._broadcast import shapes_broadcast
from edgekit.engine.ops._checks import all_of
from edgekit.engine.ops._fixed_point import clamped, requantize
from edgekit.tflite.graph import Graph, Op


def products_fit(graph: Graph, op: Op) -> str | None:
    """an input scale below 2^20 times the output's, and below 2^14 times with the slopes' scale"""
    before, slopes, after = _binary.left_right_output(graph, op)
    ratio = scale_of(before) / scale_of(after)
    return None if ratio < 2**20 and ratio * scale_of(slopes) < 2**14 else f"a ratio of {ratio:g}"


CHECKS = (_binary.two_inputs, all_of("int8"), shapes_broadcast, products_fit)


def lower(graph: Graph, op: Op) -> Lowered:
    """Lower one leaky ReLU whose slopes are a tensor."""
    before, slopes, after = _binary.left_right_output(graph, op)
    multiplier, shift = quantize_multiplier(scale_of(before) / scale_of(after))
    slope_multiplier, slope_shift = quantize_multiplier(scale_of(before) * scale_of(slopes) / scale_of(after))
    zero_points = zero_point_of(before), zero_point_of(slopes), zero_point_of(after)

    def value(code: int, slope: int) -> int:
        x = code - zero_points[0]
        negative = requantize(x * (slope - zero_points[1]), slope_multiplier, slope_shift)
        return clamped((negative if x < 0 else requantize(x, multiplier, shift)) + zero_points[2], -128, 127)

    fields = {
        "input_zero_point": zero_points[0],
        "slope_zero_point": zero_points[1],
        "multiplier": multiplier,
        "shift": shift,
        "slope_multiplier": slope_multiplier,
        "slope_shift": slope_shift,
        "output_zero_point": zero_points[2],
    }
    return _binary.lower_pair_or_table(graph, op, "prelu", fields, value)
