"""ADD and SUB. Twins: firmware/engine/weighted_sum_s8.h, sum.h."""

from __future__ import annotations

import dataclasses

import numpy as np

from edgekit.engine.lowered import Lowered, activation_range, has_fused_activation, scale_of, zero_point_of
from edgekit.engine.multiplier import quantize_multiplier
from edgekit.engine.ops import _binary, _weighted_sum
from edgekit.engine.ops._broadcast import shapes_broadcast
from edgekit.engine.ops._checks import all_of, int32_is_not_clamped
from edgekit.engine.ops._fixed_point import clamped, requantize, requantize_array
from edgekit.tflite.graph import Graph, Op

CHECKS = (
    _binary.two_inputs,
    all_of("int8", "int16", "int32"),
    shapes_broadcast,
    has_fused_activation,
    int32_is_not_clamped,
)


def lower_sum(graph: Graph, op: Op, sign: int) -> Lowered:
    """Lower left + sign * right: both are brought to twice the larger input scale, with some bits more."""
    left, right, output = _binary.left_right_output(graph, op)
    if output.dtype == "int32":
        return _binary.lower_pair(graph, op, "sum", {"right_sign": sign})
    extra_bits = 15 if output.dtype == "int16" else 20
    common = 2 * max(scale_of(left), scale_of(right))
    left_multiplier, left_shift = quantize_multiplier(scale_of(left) / common)
    right_multiplier, right_shift = quantize_multiplier(scale_of(right) / common)
    output_multiplier, output_shift = quantize_multiplier(common / (2**extra_bits * scale_of(output)))
    low, high = activation_range(op, output)
    zero_points = zero_point_of(left), zero_point_of(right), zero_point_of(output)

    def value(a: int, b: int) -> int:
        scaled_a = requantize((a - zero_points[0]) << extra_bits, left_multiplier, left_shift)
        scaled_b = requantize((b - zero_points[1]) << extra_bits, right_multiplier, right_shift)
        scaled = requantize(scaled_a + sign * scaled_b, output_multiplier, output_shift)
        return clamped(scaled + zero_points[2], low, high)

    if output.dtype == "int8" and output_shift <= 0:
        codes = range(-128, 128)
        scaled_left = [requantize(code - zero_points[0] << extra_bits, left_multiplier, left_shift) for code in codes]
        scaled_right = [
            requantize(code - zero_points[1] << extra_bits, right_multiplier, right_shift) for code in codes
        ]
        sums = np.array(scaled_left)[:, None] + sign * np.array(scaled_right)
        values = np.clip(requantize_array(sums, output_multiplier, output_shift) + zero_points[2], low, high)
        ratios = scale_of(left) / scale_of(output), sign * scale_of(right) / scale_of(output)
        found = _weighted_sum.find(*ratios, values, (low, high))
        if found is not None:
            settings = {**dataclasses.asdict(found), "activation_min": low, "activation_max": high}
            return _binary.lower_pair_or_table(graph, op, "weighted_sum", settings, value)
    fields = {
        "extra_bits": extra_bits,
        "left_zero_point": zero_points[0],
        "left_multiplier": left_multiplier,
        "left_shift": left_shift,
        "right_sign": sign,
        "right_zero_point": zero_points[1],
        "right_multiplier": right_multiplier,
        "right_shift": right_shift,
        "output_multiplier": output_multiplier,
        "output_shift": output_shift,
        "output_zero_point": zero_points[2],
        "activation_min": low,
        "activation_max": high,
    }
    return _binary.lower_pair_or_table(graph, op, "sum", fields, value)
