"""DIV of int8. Twin: firmware/engine/div_s8.h."""

from __future__ import annotations

import dataclasses

import numpy as np

from edgekit.engine.lowered import (
    Constant,
    Lowered,
    activation_range,
    has_fused_activation,
    scale_of,
    zero_point_of,
)
from edgekit.engine.multiplier import quantize_multiplier
from edgekit.engine.ops import _binary
from edgekit.engine.ops._broadcast import shapes_broadcast
from edgekit.engine.ops._checks import all_of
from edgekit.engine.ops._fixed_point import clamped, multiply_high, reciprocal, requantize
from edgekit.tflite.graph import Graph, Op


def _quotient_scale(graph: Graph, op: Op) -> tuple[int, int]:
    """Multiplier and shift of left / right."""
    left, right, output = (scale_of(tensor) for tensor in _binary.left_right_output(graph, op))
    return quantize_multiplier(left / (right * output))


def shifts_stay_within_a_word(graph: Graph, op: Op) -> str | None:
    """scales with 64 <= left / (right * output) < 2^20 (TFLite Micro shifts by more than a word for others)"""
    shift = _quotient_scale(graph, op)[1]
    return None if 7 <= shift <= 20 else f"a ratio of about 2^{shift - 1}"


def divisor_is_not_zero(graph: Graph, op: Op) -> str | None:
    """a divisor that is computed, or a constant without zeros"""
    divisor = graph.tensors[op.inputs[1]]
    has_zero = divisor.data is not None and bool((divisor.data == zero_point_of(divisor)).any())
    return "a constant with a zero" if has_zero else None


CHECKS = (
    _binary.two_inputs,
    all_of("int8"),
    shapes_broadcast,
    has_fused_activation,
    shifts_stay_within_a_word,
    divisor_is_not_zero,
)


def _inverse(divisor: int) -> int:
    """2^(bit_length - 1) / divisor in Q0, by TFLite's Newton steps."""
    return reciprocal((divisor << (32 - divisor.bit_length())) - (1 << 31))


def lower(graph: Graph, op: Op) -> Lowered:
    """Lower one division: times a reciprocal from a table."""
    left, right, output = _binary.left_right_output(graph, op)
    multiplier, shift = _quotient_scale(graph, op)
    low, high = activation_range(op, output)
    zero_points = zero_point_of(left), zero_point_of(right), zero_point_of(output)

    def value(a: int, b: int) -> int:
        numerator, divisor = a - zero_points[0], b - zero_points[1]
        if divisor < 0:
            numerator, divisor = -numerator, -divisor
        if divisor == 0 or numerator == 0:
            return clamped(zero_points[2] + numerator * 256, low, high)
        headroom = 31 - (numerator if numerator > 0 else -numerator - 1).bit_length()
        quotient = multiply_high(numerator << headroom, _inverse(divisor))
        total_shift = shift - (divisor.bit_length() - 1) - headroom
        return clamped(requantize(quotient, multiplier, total_shift) + zero_points[2], low, high)

    fields = {
        "inverse": "inverse",
        "left_zero_point": zero_points[0],
        "right_zero_point": zero_points[1],
        "multiplier": multiplier,
        "shift": shift,
        "output_zero_point": zero_points[2],
        "activation_min": low,
        "activation_max": high,
    }
    lowered = _binary.lower_pair_or_table(graph, op, "div", fields, value)
    if lowered.kernel != "div_s8":
        return lowered
    inverses = np.array([0, *(_inverse(divisor) for divisor in range(1, 256))], np.int32)
    return dataclasses.replace(lowered, constants=(Constant("inverse", inverses, "(256), by the divisor's magnitude"),))
