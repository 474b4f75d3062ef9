"""DEPTHWISE_CONV_2D. Twins: firmware/engine/depthwise_conv_2d_s8.h, depthwise_conv_2d_s16.h;
for 3x3 windows depthwise_conv_2d_3x3_s8.h; for one input channel conv_2d_s8.h."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from edgekit.engine.lowered import Constant, Lowered, has_fused_activation, images_of_batch_one
from edgekit.engine.ops import _linear
from edgekit.engine.ops._convolution import rows_read, window_fields
from edgekit.engine.ops._linear import Linear
from edgekit.engine.ops.conv_2d import lower_tiles
from edgekit.engine.weights import WeightEncoding, encode
from edgekit.tflite.graph import Graph, Op

_FIELDS_3X3 = (
    *("weights", "bias", "multiplier", "shift", "input_rows", "channels", "output_columns", "stride_rows"),
    *("stride_columns", "pad_top", "pad_left", "pad_right", "input_zero_point", "output_zero_point"),
    *("activation_min", "activation_max"),
)


def channels_are_multiplied(graph: Graph, op: Op) -> str | None:
    """weights (1, rows, columns, channels) with a whole multiple of the input channels"""
    channels, weights = graph.tensors[op.inputs[0]].shape[3], graph.tensors[op.inputs[1]].shape
    return None if weights[0] == 1 and weights[3] % channels == 0 else f"weights {list(weights)} on {channels} channels"


CHECKS = (images_of_batch_one, *_linear.CHECKS, has_fused_activation, channels_are_multiplied)


def lower(graph: Graph, op: Op) -> Lowered:
    """Lower one depthwise convolution; with int8 activations a depth multiplier repeats channels in the patch."""
    layer = _linear.linear(graph, op)
    assert layer.weights.data is not None
    _, kernel_rows, kernel_columns, channels = layer.weights.shape
    if layer.kernel_suffix == "s8" and layer.input.shape[3] == 1 and _linear.scales_down(layer):
        # Every output channel sees the whole input: a convolution.
        rows = layer.weights.data.reshape(kernel_rows * kernel_columns, channels).T
        return lower_tiles(layer, rows, (kernel_rows, kernel_columns))
    repeat = 1 if layer.kernel_suffix == "s16" else channels // layer.input.shape[3]
    window = window_fields(layer, (kernel_rows, kernel_columns), repeat=repeat)
    if layer.kernel_suffix == "s8" and is_3x3(layer, window):
        return lower_3x3(layer, window)
    return lower_any(layer, window)


def lower_any(layer: Linear, window: Mapping[str, int]) -> Lowered:
    """Lower a layer with any window."""
    assert layer.weights.data is not None
    by_tap = layer.weights.data.reshape(-1, layer.channels)
    taps, channels = by_tap.shape
    input_channels = layer.input.shape[3]
    is_wide = layer.kernel_suffix == "s16"
    sizes: dict[str, Any] = (
        {"input_channels": input_channels, "depth_multiplier": channels // input_channels}
        if is_wide
        else {"output_channels": channels}
    )
    return Lowered(
        kernel=f"depthwise_conv_2d_{layer.kernel_suffix}",
        fields={
            "window": window,
            **_linear.CHANNEL_FIELDS,
            "taps": taps,
            "output_columns": layer.output.shape[2],
            **sizes,
            **_linear.output_fields(layer),
        },
        constants=_linear.channel_constants(
            layer, Constant("weights", encode(by_tap, WeightEncoding.DENSE), f"({taps}, {channels})"), by_tap.T
        ),
        inputs=(layer.op.inputs[0],),
        output=layer.op.outputs[0],
        scratch_bytes=taps * (2 * input_channels if is_wide else channels),
        rows_read=(rows_read(layer, window["kernel_rows"]),),
    )


def is_3x3(layer: Linear, window: Mapping[str, int]) -> bool:
    """Whether the kernel for 3x3 windows serves: without dilation, columns walked by one or two."""
    plain = {"kernel_rows": 3, "kernel_columns": 3, "dilation_rows": 1, "dilation_columns": 1, "repeat": 1}
    is_plain = all(window[name] == value for name, value in plain.items())
    return is_plain and window["stride_columns"] <= 2 and _linear.scales_down(layer)


def lower_3x3(layer: Linear, window: Mapping[str, int]) -> Lowered:
    """Lower a layer that `is_3x3`, the weights as int8."""
    assert layer.weights.data is not None
    channels, columns = layer.channels, layer.output.shape[2]
    last = (columns - 1) * window["stride_columns"] - window["pad_left"] + 2
    weights = layer.weights.data.reshape(9, channels).T
    names = ("input_rows", "stride_rows", "stride_columns", "pad_top", "pad_left")
    fields = {
        **_linear.CHANNEL_FIELDS,
        "channels": channels,
        "output_columns": columns,
        "pad_right": max(0, last + 1 - window["input_columns"]),
        "input_zero_point": window["input_zero_point"],
        **{name: window[name] for name in names},
        **_linear.output_fields(layer),
    }
    return Lowered(
        kernel="depthwise_conv_2d_3x3_s8",
        fields={name: fields[name] for name in _FIELDS_3X3},
        constants=_linear.channel_constants(
            layer, Constant("weights", encode(weights, WeightEncoding.DENSE), f"({channels}, 3, 3)"), weights
        ),
        inputs=(layer.op.inputs[0],),
        output=layer.op.outputs[0],
        rows_read=(rows_read(layer, 3),),
    )
