"""EQUAL, NOT_EQUAL, GREATER, GREATER_EQUAL, LESS, LESS_EQUAL. Twin: firmware/engine/compare_s8.h, compare_s32.h."""

from __future__ import annotations

from edgekit.engine.lowered import Lowered, scale_of, zero_point_of
from edgekit.engine.multiplier import quantize_multiplier
from edgekit.engine.ops import _binary
from edgekit.engine.ops._broadcast import shapes_broadcast
from edgekit.engine.ops._checks import inputs_of, output_of
from edgekit.engine.ops._fixed_point import requantize
from edgekit.tflite.graph import Graph, Op

_EXTRA_BITS = 8
# 1.0 as a multiplier and a shift.
_IDENTITY = (1 << 30, 1)


def scales_are_below_one(graph: Graph, op: Op) -> str | None:
    """int8 inputs of scales below 1 (TFLite Micro ends the program for others)"""
    tensors = [graph.tensors[index] for index in op.inputs]
    large = next((tensor for tensor in tensors if tensor.dtype == "int8" and scale_of(tensor) >= 1), None)
    return None if large is None else f"tensor {large.name!r} of scale {scale_of(large)}"


_COMMON = (output_of("bool"), shapes_broadcast, scales_are_below_one)
EQUALITY_CHECKS = (_binary.two_inputs, inputs_of("int8", "int32", "bool"), *_COMMON)
ORDER_CHECKS = (_binary.two_inputs, inputs_of("int8", "int32"), *_COMMON)


def lower_comparison(graph: Graph, op: Op, *, less: bool, equal: bool, greater: bool) -> Lowered:
    """Lower a comparison.

    Args:
        graph, op: the operator.
        less, equal, greater: what it says where the left value is less than, equal to, greater than the right one.
    """
    left, right, _ = _binary.left_right_output(graph, op)
    answers = {"less": int(less), "equal": int(equal), "greater": int(greater)}
    if left.dtype == "int32":
        return _binary.lower_pair(graph, op, "compare", answers)
    is_int8 = left.dtype == "int8"
    zero_points = (zero_point_of(left), zero_point_of(right)) if is_int8 else (0, 0)
    left_multiplier, left_shift = quantize_multiplier(scale_of(left)) if is_int8 else _IDENTITY
    right_multiplier, right_shift = quantize_multiplier(scale_of(right)) if is_int8 else _IDENTITY

    def value(a: int, b: int) -> int:
        scaled_a = requantize((a - zero_points[0]) << _EXTRA_BITS, left_multiplier, left_shift)
        scaled_b = requantize((b - zero_points[1]) << _EXTRA_BITS, right_multiplier, right_shift)
        return answers["less" if scaled_a < scaled_b else "greater" if scaled_a > scaled_b else "equal"]

    fields = {
        **answers,
        "extra_bits": _EXTRA_BITS,
        "left_zero_point": zero_points[0],
        "left_multiplier": left_multiplier,
        "left_shift": left_shift,
        "right_zero_point": zero_points[1],
        "right_multiplier": right_multiplier,
        "right_shift": right_shift,
    }
    return _binary.lower_pair_or_table(graph, op, "compare", fields, value)
