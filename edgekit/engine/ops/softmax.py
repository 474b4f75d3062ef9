"""SOFTMAX over the last axis. Twin: firmware/engine/softmax_s8.h."""

from __future__ import annotations

import math

from edgekit.engine.lowered import Lowered, activations_are_int8, row_shape, scale_of, zero_point_of
from edgekit.engine.multiplier import quantize_multiplier
from edgekit.tflite.graph import Graph, Op

_DIFFERENCE_INTEGER_BITS = 5


def output_is_a_probability(graph: Graph, op: Op) -> str | None:
    """an output of scale 1/256 and zero point -128"""
    output = graph.tensors[op.outputs[0]]
    same = scale_of(output) == 1 / 256 and zero_point_of(output) == -128
    return None if same else f"scale {scale_of(output)} and zero point {zero_point_of(output)}"


CHECKS = (activations_are_int8, output_is_a_probability)


def lower(graph: Graph, op: Op) -> Lowered:
    """Lower one softmax to Q5 differences and a fixed-point exp."""
    before = graph.tensors[op.inputs[0]]
    beta = float(op.options.get("beta", 1.0))
    fraction_bits = 31 - _DIFFERENCE_INTEGER_BITS
    multiplier, shift = quantize_multiplier(min(beta * scale_of(before) * 2**fraction_bits, 2.0**31 - 1))
    radius = math.floor(((1 << _DIFFERENCE_INTEGER_BITS) - 1) * 2**fraction_bits / 2**shift)
    return Lowered(
        kernel="softmax_s8",
        fields={
            "row_elements": row_shape(before)[1],
            "depth": before.shape[-1],
            "multiplier": multiplier,
            "shift": shift,
            "difference_min": -radius,
        },
        constants=(),
        inputs=(op.inputs[0],),
        output=op.outputs[0],
    )
