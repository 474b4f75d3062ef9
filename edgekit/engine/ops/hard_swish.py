"""HARD_SWISH. Twin: firmware/engine/table_s8.h."""

from __future__ import annotations

from edgekit.engine.lowered import Lowered, scale_of, zero_point_of
from edgekit.engine.multiplier import quantize_multiplier
from edgekit.engine.ops import _unary
from edgekit.engine.ops._fixed_point import clamped, divide_by_power, multiply_high, wrapped
from edgekit.engine.ops._table import lower_table
from edgekit.tflite.graph import Graph, Op

_INT16 = (-32768, 32767)


def _factors(graph: Graph, op: Op) -> tuple[tuple[int, int], tuple[int, int]]:
    """Multiplier of 15 bits and exponent: to the output's scale, and to 32768 at 3.0; the input has 7 bits more."""
    before, after = _unary.before_after(graph, op)
    fine = scale_of(before) / 128
    pairs = [quantize_multiplier(fine / scale) for scale in (scale_of(after), 3 / 32768)]
    output, relu = [(min((multiplier + (1 << 15)) >> 16, 32767), exponent) for multiplier, exponent in pairs]
    return output, relu


def output_scale_is_large_enough(graph: Graph, op: Op) -> str | None:
    """an output scale between 1/128 and 256 times the input's"""
    exponent = _factors(graph, op)[0][1]
    before, after = _unary.before_after(graph, op)
    return None if -15 <= exponent <= 0 else f"scales {scale_of(before)} and {scale_of(after)}"


CHECKS = (*_unary.INT8, output_scale_is_large_enough)


def lower(graph: Graph, op: Op) -> Lowered:
    """Lower one x * relu6(x + 3) / 6, in TFLite's 16-bit fixed-point steps."""
    before, after = _unary.before_after(graph, op)
    (multiplier, exponent), (relu_multiplier, relu_exponent) = _factors(graph, op)

    def value(code: int) -> int:
        fine = (code - zero_point_of(before)) << 7
        scaled = multiply_high(fine, multiplier, 16)
        relu = clamped(fine << max(relu_exponent - 1, 0), *_INT16)
        relu = multiply_high(relu, relu_multiplier, 16)
        if relu_exponent > 0:
            relu = clamped(relu << 1, *_INT16)
        relu = divide_by_power(relu, max(-relu_exponent, 0))
        relu = (relu + (1 << 15)) >> 1
        product = relu * scaled
        # Rounds towards zero, which undoes the bias of the roundings above.
        before_shift = product >> 15 if product >= 0 else -(-product >> 15)
        result = wrapped(divide_by_power(before_shift, -exponent) + zero_point_of(after), 16)
        return clamped(result, -128, 127)

    return lower_table(graph, op, value)
