"""MUL. Twins: firmware/engine/mul.h, mul_s32.h."""

from __future__ import annotations

from edgekit.engine.lowered import Lowered, activation_range, has_fused_activation, scale_of, zero_point_of
from edgekit.engine.multiplier import quantize_multiplier
from edgekit.engine.ops import _binary
from edgekit.engine.ops._broadcast import shapes_broadcast
from edgekit.engine.ops._checks import all_of, int32_is_not_clamped
from edgekit.engine.ops._fixed_point import clamped, requantize
from edgekit.tflite.graph import Graph, Op


def product_fits(graph: Graph, op: Op) -> str | None:
    """int8 scales whose product is below 2^14 times the output's: products fit into int32"""
    left, right, output = _binary.left_right_output(graph, op)
    if output.dtype != "int8":
        return None
    ratio = scale_of(left) * scale_of(right) / scale_of(output)
    return None if ratio < 2**14 else f"a ratio of {ratio:g}"


CHECKS = (
    _binary.two_inputs,
    all_of("int8", "int16", "int32"),
    shapes_broadcast,
    has_fused_activation,
    int32_is_not_clamped,
    product_fits,
)


def lower(graph: Graph, op: Op) -> Lowered:
    """Lower one multiplication; int32 wraps."""
    left, right, output = _binary.left_right_output(graph, op)
    if output.dtype == "int32":
        return _binary.lower_pair(graph, op, "mul", {})
    multiplier, shift = quantize_multiplier(scale_of(left) * scale_of(right) / scale_of(output))
    low, high = activation_range(op, output)
    zero_points = zero_point_of(left), zero_point_of(right), zero_point_of(output)

    def value(a: int, b: int) -> int:
        scaled = requantize((a - zero_points[0]) * (b - zero_points[1]), multiplier, shift)
        return clamped(scaled + zero_points[2], low, high)

    fields = {
        "left_zero_point": zero_points[0],
        "right_zero_point": zero_points[1],
        "multiplier": multiplier,
        "shift": shift,
        "output_zero_point": zero_points[2],
        "activation_min": low,
        "activation_max": high,
    }
    return _binary.lower_pair_or_table(graph, op, "mul", fields, value)
