"""DEPTHWISE_CONV_2D. Twin: firmware/engine/depthwise_conv_2d_s8.h."""

from __future__ import annotations

import numpy as np

from edgekit.engine.lowered import (
    Constant,
    Lowered,
    activations_are_int8,
    has_fused_activation,
    images_of_batch_one,
    weights_are_constant_int8,
)
from edgekit.engine.ops._convolution import folded_bias, multiplier_constants, output_fields, window_fields
from edgekit.engine.weights import WeightEncoding, encode
from edgekit.tflite.graph import Graph, Op

CHECKS = (activations_are_int8, weights_are_constant_int8, images_of_batch_one, has_fused_activation)


def lower(graph: Graph, op: Op) -> Lowered:
    """Lower one depthwise convolution; a depth multiplier repeats channels in the gathered patch."""
    weights = graph.tensors[op.inputs[1]]
    assert weights.data is not None
    _, kernel_rows, kernel_columns, channels = weights.shape
    taps = kernel_rows * kernel_columns
    by_tap = weights.data.reshape(taps, channels)
    repeat = channels // graph.tensors[op.inputs[0]].shape[3]
    multiplier, shift, per_channel = multiplier_constants(graph, op, channels)
    if not per_channel:
        multiplier = Constant(multiplier.name, np.repeat(multiplier.values[:1], channels), f"({channels})")
        shift = Constant(shift.name, np.repeat(shift.values[:1], channels), f"({channels})")
    return Lowered(
        kernel="depthwise_conv_2d_s8",
        fields={
            "window": window_fields(graph, op, (kernel_rows, kernel_columns), repeat),
            "weights": "weights",
            "bias": "bias",
            "multiplier": "multiplier",
            "shift": "shift",
            "taps": taps,
            "output_columns": graph.tensors[op.outputs[0]].shape[2],
            "output_channels": channels,
            **output_fields(graph, op),
        },
        constants=(
            Constant("weights", encode(by_tap, WeightEncoding.DENSE), f"({taps}, {channels})"),
            folded_bias(graph, op, by_tap.T),
            multiplier,
            shift,
        ),
        inputs=(op.inputs[0],),
        output=op.outputs[0],
        scratch_bytes=taps * channels,
    )
