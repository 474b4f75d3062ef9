"""ADD. Twin: firmware/engine/add_s8.h."""

from __future__ import annotations

from edgekit.engine.lowered import (
    Lowered,
    activation_range,
    activations_are_int8,
    has_fused_activation,
    row_shape,
    scale_of,
    zero_point_of,
)
from edgekit.engine.multiplier import quantize_multiplier
from edgekit.tflite.graph import Graph, Op


def inputs_are_alike(graph: Graph, op: Op) -> str | None:
    """two computed inputs of equal shape (no broadcasting)"""
    left, right = (graph.tensors[index] for index in op.inputs[:2])
    if left.data is not None or right.data is not None:
        return "a constant input"
    return None if left.shape == right.shape else f"shapes {list(left.shape)} and {list(right.shape)}"


CHECKS = (activations_are_int8, inputs_are_alike, has_fused_activation)


def lower(graph: Graph, op: Op) -> Lowered:
    """Lower one addition; both inputs are scaled to twice the larger input scale, with 20 bits more."""
    left, right, output = (graph.tensors[index] for index in (*op.inputs[:2], op.outputs[0]))
    common = 2 * max(scale_of(left), scale_of(right))
    left_multiplier, left_shift = quantize_multiplier(scale_of(left) / common)
    right_multiplier, right_shift = quantize_multiplier(scale_of(right) / common)
    output_multiplier, output_shift = quantize_multiplier(common / (2**20 * scale_of(output)))
    low, high = activation_range(op, output)
    return Lowered(
        kernel="add_s8",
        fields={
            "row_elements": row_shape(output)[1],
            "left_zero_point": zero_point_of(left),
            "left_multiplier": left_multiplier,
            "left_shift": left_shift,
            "right_zero_point": zero_point_of(right),
            "right_multiplier": right_multiplier,
            "right_shift": right_shift,
            "output_multiplier": output_multiplier,
            "output_shift": output_shift,
            "output_zero_point": zero_point_of(output),
            "activation_min": low,
            "activation_max": high,
        },
        constants=(),
        inputs=(op.inputs[0], op.inputs[1]),
        output=op.outputs[0],
    )
