"""SQUARED_DIFFERENCE. Twins: firmware/engine/squared_difference.h, squared_difference_s32.h."""

from __future__ import annotations

from edgekit.engine.lowered import Lowered, scale_of, zero_point_of
from edgekit.engine.multiplier import quantize_multiplier
from edgekit.engine.ops import _binary
from edgekit.engine.ops._broadcast import shapes_broadcast
from edgekit.engine.ops._checks import all_of
from edgekit.engine.ops._fixed_point import clamped, requantize
from edgekit.tflite.graph import Graph, Op

CHECKS = (_binary.two_inputs, all_of("int8", "int16", "int32"), shapes_broadcast)


def lower(graph: Graph, op: Op) -> Lowered:
    """Lower one (left - right)^2; both are brought to twice the larger scale, int8 with 7 bits more; int32 wraps."""
    left, right, output = _binary.left_right_output(graph, op)
    if output.dtype == "int32":
        return _binary.lower_pair(graph, op, "squared_difference", {})
    extra_bits, low, high = (7, -128, 127) if output.dtype == "int8" else (0, -32768, 32767)
    common = 2 * max(scale_of(left), scale_of(right))
    left_multiplier, left_shift = quantize_multiplier(scale_of(left) / common)
    right_multiplier, right_shift = quantize_multiplier(scale_of(right) / common)
    output_multiplier, output_shift = quantize_multiplier(common * common / (2 ** (2 * extra_bits) * scale_of(output)))
    zero_points = zero_point_of(left), zero_point_of(right), zero_point_of(output)

    def value(a: int, b: int) -> int:
        scaled_a = requantize((a - zero_points[0]) << extra_bits, left_multiplier, left_shift)
        scaled_b = requantize((b - zero_points[1]) << extra_bits, right_multiplier, right_shift)
        square = requantize((scaled_a - scaled_b) ** 2, output_multiplier, output_shift)
        return clamped(square + zero_points[2], low, high)

    fields = {
        "extra_bits": extra_bits,
        "left_zero_point": zero_points[0],
        "left_multiplier": left_multiplier,
        "left_shift": left_shift,
        "right_zero_point": zero_points[1],
        "right_multiplier": right_multiplier,
        "right_shift": right_shift,
        "output_multiplier": output_multiplier,
        "output_shift": output_shift,
        "output_zero_point": zero_points[2],
        "lowest": low,
        "highest": high,
    }
    return _binary.lower_pair_or_table(graph, op, "squared_difference", fields, value)
