"""DEPTHWISE_CONV_2D on x86. Twins: firmware/engine/depthwise_conv_2d_3x3_lanes_s8.x86.h; of one input channel, which is
a convolution, conv_2d_lanes_s8.x86.h."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from edgekit.engine.cores.x86._tile import CHANNELS, clamp_fields, scales
from edgekit.engine.cores.x86.conv_2d import lower_lanes
from edgekit.engine.lowered import Constant, Lowered
from edgekit.engine.ops import _linear
from edgekit.engine.ops._convolution import rows_read, window_fields
from edgekit.tflite.graph import Graph, Op


def lower(graph: Graph, op: Op, *, wide_weights: bool) -> Lowered | None:  # noqa: ARG001 (widened in registers)
    """Lower a 3x3 window without dilation on eight channels or more, or any window on one."""
    layer = _linear.linear(graph, op)
    _, kernel_rows, kernel_columns, channels = layer.weights.shape
    if layer.kernel_suffix != "s8" or layer.weights.data is None or not _linear.scales_down(layer):
        return None
    by_tap = layer.weights.data.reshape(kernel_rows * kernel_columns, channels)
    if layer.input.shape[3] == 1:
        return lower_lanes(layer, by_tap.T, (kernel_rows, kernel_columns))
    window = window_fields(layer, (kernel_rows, kernel_columns))
    plain = {"kernel_rows": 3, "kernel_columns": 3, "dilation_rows": 1, "dilation_columns": 1}
    if channels < CHANNELS or channels != layer.input.shape[3] or any(window[key] != plain[key] for key in plain):
        return None
    groups = np.minimum(np.arange(0, channels, CHANNELS), channels - CHANNELS)[:, None] + np.arange(CHANNELS)
    names = ("stride_rows", "stride_columns", "pad_top", "pad_left", "input_zero_point")
    return Lowered(
        kernel="depthwise_conv_2d_3x3_lanes_s8.x86",
        fields={
            "weights": "weights",
            "scales": "scales",
            "input_rows": window["input_rows"],
            "input_columns": window["input_columns"],
            "channels": channels,
            "output_columns": layer.output.shape[2],
            **{name: window[name] for name in names},
            **clamp_fields(layer),
        },
        constants=(
            Constant("weights", _pairs(by_tap[:, groups]), f"({len(groups)} groups of 8 channels, 3 columns, 32)"),
            scales(layer, by_tap.T, groups),
        ),
        inputs=(op.inputs[0],),
        output=op.outputs[0],
        rows_read=(rows_read(layer, 3),),
    )


def _pairs(taps: NDArray[np.int8]) -> NDArray[np.int16]:
    """Weights (9, groups, 8) as (groups, columns, 2, 8, 2): for each column rows 0 and 1, then row 2 and zeros."""
    cube = np.pad(taps.reshape(3, 3, -1, CHANNELS), ((0, 1), (0, 0), (0, 0), (0, 0)))
    by_pair = cube.reshape(2, 2, 3, -1, CHANNELS).transpose(3, 2, 0, 4, 1)
    return np.ascontiguousarray(by_pair).astype(np.int16).reshape(-1)
