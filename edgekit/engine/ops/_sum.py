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
from edgekit.tflite.graph import Graph, Op, Tensor

_CODES = range(-128, 128)
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
    left_pair, right_pair = (quantize_multiplier(scale_of(tensor) / common) for tensor in (left, right))
    output_pair = quantize_multiplier(common / (2**extra_bits * scale_of(output)))
    low, high = activation_range(op, output)
    zero_point = zero_point_of(output)

    def scaled(code: int, tensor: Tensor, pair: tuple[int, int]) -> int:
        return requantize((code - zero_point_of(tensor)) << extra_bits, *pair)

    def value(a: int, b: int) -> int:
        sums = scaled(a, left, left_pair) + sign * scaled(b, right, right_pair)
        return clamped(requantize(sums, *output_pair) + zero_point, low, high)

    clamp = {"activation_min": low, "activation_max": high}
    if output.dtype == "int8" and output_pair[1] <= 0:
        lefts, rights = ([scaled(code, *of) for code in _CODES] for of in ((left, left_pair), (right, right_pair)))
        sums = np.array(lefts)[:, None] + sign * np.array(rights)
        values = np.clip(requantize_array(sums, *output_pair) + zero_point, low, high)
        ratios = scale_of(left) / scale_of(output), sign * scale_of(right) / scale_of(output)
        found = _weighted_sum.find(*ratios, values, (low, high))
        if found is not None:
            return _binary.lower_pair_or_table(graph, op, "weighted_sum", dataclasses.asdict(found) | clamp, value)
    fields = {
        "extra_bits": extra_bits,
        **_scaling("left", zero_point_of(left), left_pair),
        "right_sign": sign,
        **_scaling("right", zero_point_of(right), right_pair),
        "output_multiplier": output_pair[0],
        "output_shift": output_pair[1],
        "output_zero_point": zero_point,
    }
    return _binary.lower_pair_or_table(graph, op, "sum", fields | clamp, value)


def _scaling(side: str, zero_point: int, pair: tuple[int, int]) -> dict[str, int]:
    return {f"{side}_zero_point": zero_point, f"{side}_multiplier": pair[0], f"{side}_shift": pair[1]}
