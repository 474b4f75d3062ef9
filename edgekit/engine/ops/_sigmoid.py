"""LOGISTIC and TANH. Twins: firmware/engine/table_s8.h, logistic_tensor_s16.h, tanh_tensor_s16.h."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np

from edgekit.engine.lowered import Check, Lowered, scale_of, zero_point_of
from edgekit.engine.ops import _unary
from edgekit.engine.ops._fixed_point import clamped, divide_by_power, requantize
from edgekit.engine.ops._table import lower_table
from edgekit.tflite.graph import Graph, Op

_INTEGER_BITS = 4


def output_scale_is(scale: float, zero_point: int) -> Check:
    """Return a check of an int8 output's scale and zero point; those of int16 are 2^-15 and 0."""

    def check(graph: Graph, op: Op) -> str | None:
        after = graph.tensors[op.outputs[0]]
        wanted = (scale, zero_point) if after.dtype == "int8" else (2**-15, 0)
        came = scale_of(after), zero_point_of(after)
        return None if came == wanted else f"scale {came[0]} and zero point {came[1]}"

    check.__doc__ = (
        f"an int8 output of scale 1/{int(1 / scale)} and zero point {zero_point}, or an int16 one of 1/32768"
    )
    return check


def int16_input_is_fine(graph: Graph, op: Op) -> str | None:
    """an int16 input of a scale below 2.6"""
    before = graph.tensors[op.inputs[0]]
    return f"scale {scale_of(before)}" if before.dtype == "int16" and scale_of(before) >= 2.6 else None


def lower_int8(graph: Graph, op: Op, function: Callable[[int, int], int], fraction_bits: int, offset: int) -> Lowered:
    """Lower to a table.

    Args:
        graph, op: the operator.
        function: of a Q4 number, Q0.
        fraction_bits: of the output's codes.
        offset: zero point of the output.
    """
    before = graph.tensors[op.inputs[0]]
    # Unlike other factors of TFLite this one is not normalized where rounding takes it to 2^31.
    fraction, shift = math.frexp(scale_of(before) * 2 ** (31 - _INTEGER_BITS))
    multiplier = math.floor(fraction * 2**31 + 0.5)
    radius = math.floor(((1 << _INTEGER_BITS) - 1) * 2 ** (31 - _INTEGER_BITS) / 2**shift)

    def value(code: int) -> int:
        x = code - zero_point_of(before)
        if abs(x) >= radius:
            return 127 if x > 0 or (x == 0 and radius > 0) else -128
        q0 = function(requantize(x, multiplier, shift), _INTEGER_BITS)
        return clamped(divide_by_power(q0, 31 - fraction_bits) + offset, -128, 127)

    return lower_table(graph, op, value)


def lower_int16(graph: Graph, op: Op, kernel: str, exact_shifts: tuple[int, ...]) -> Lowered:
    """Lower to the table of sigmoids, whose argument is the input times 3 * 2^12.

    Args:
        graph, op: the operator.
        kernel: header stem.
        exact_shifts: the input scales 2^(shift - 12) that TFLite takes as such, even where they are met only nearly.
    """
    scale = scale_of(graph.tensors[op.inputs[0]])
    log2 = np.log(np.float32(scale)) * (np.float32(1) / np.log(np.float32(2)))
    shift = 12 + round(float(log2))
    if abs(float(log2) - round(float(log2))) < 1e-3 and shift in exact_shifts:
        return _unary.lower_s16(graph, op, kernel, {"multiplier": 3 << shift, "rounding": 0, "shift": 0})
    multiplier, shift = scale * 4096.0 * 3.0, 0
    while multiplier <= 32767.0 / 2.0 and shift <= 30:
        multiplier, shift = multiplier * 2.0, shift + 1
    rounding = 1 << (shift - 1) if shift else 0
    return _unary.lower_s16(graph, op, kernel, {"multiplier": int(multiplier), "rounding": rounding, "shift": shift})
