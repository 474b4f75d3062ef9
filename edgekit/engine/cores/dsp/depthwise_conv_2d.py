"""DEPTHWISE_CONV_2D 3x3. Twins: firmware/engine/depthwise_conv_2d_3x3_stride_*_s8.dsp.h."""

from __future__ import annotations

from edgekit.engine.cores.dsp._scaling import clamp_fields, is_relu, scaling
from edgekit.engine.cores.dsp._strip import (
    BLOCK_BYTES,
    CHANNELS,
    STRIP_BYTES,
    channel_bytes,
    channel_words,
    column_pairs,
)
from edgekit.engine.lowered import Lowered, zero_point_of
from edgekit.engine.ops import _linear
from edgekit.engine.ops._convolution import rows_read, window_fields
from edgekit.tflite.graph import Graph, Op


def lower(graph: Graph, op: Op, *, wide_weights: bool) -> Lowered | None:
    """Lower a 3x3 window over four channels or more, not dilated, whose columns are at stride 1 or 2."""
    layer = _linear.linear(graph, op)
    _, kernel_rows, kernel_columns, channels = layer.weights.shape
    window = window_fields(layer, (kernel_rows, kernel_columns))
    dilated = window["dilation_rows"] != 1 or window["dilation_columns"] != 1
    stride, is_3x3 = window["stride_columns"], kernel_rows == kernel_columns == 3
    if not is_3x3 or dilated or stride not in (1, 2) or channels < CHANNELS:
        return None
    if layer.kernel_suffix != "s8" or layer.input.shape[3] != channels:
        return None
    assert layer.weights.data is not None
    weights = layer.weights.data.reshape(3, 3, channels)
    scale = scaling(layer, weights.reshape(9, channels).T)
    if scale is None:
        return None
    constants = (channel_words(weights, scale),) if wide_weights else channel_bytes(weights, scale)
    stored = [constant.name for constant in constants]
    pairs = column_pairs(layer.output.shape[2], stride)
    return Lowered(
        kernel=f"depthwise_conv_2d_3x3_stride_{stride}_{'relu' if is_relu(layer) else 'signed'}_s8.dsp",
        fields={
            **{name: name if name in stored else None for name in ("channels", "weights", "scales", "shifts")},
            "rounding": scale.rounding_of_one,
            "input_rows": window["input_rows"],
            "input_columns": window["input_columns"],
            "input_channels": channels,
            "stride_rows": window["stride_rows"],
            "pad_top": window["pad_top"],
            "pad_left": window["pad_left"],
            "output_columns": layer.output.shape[2],
            "column_pairs": pairs,
            **clamp_fields(layer),
            "input_zero_point": zero_point_of(layer.input),
        },
        constants=constants,
        inputs=(op.inputs[0],),
        output=op.outputs[0],
        scratch_bytes=STRIP_BYTES * pairs + (0 if wide_weights else BLOCK_BYTES),
        rows_read=(rows_read(layer, 3),),
    )
