"""DEPTHWISE_CONV_2D 3x3. Twins: firmware/engine/depthwise_conv_2d_3x3_stride_*_s8.dsp.h."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from edgekit.engine.cores.dsp._scaling import Scaling, clamp_fields, is_relu, scaling
from edgekit.engine.cores.dsp._strip import (
    BLOCK_BYTES,
    STRIP_BYTES,
    channel_scales,
    channel_words,
    column_pairs,
    taps,
)
from edgekit.engine.cores.dsp._tile import CHANNELS
from edgekit.engine.lowered import Constant, Lowered, zero_point_of
from edgekit.engine.ops import _linear
from edgekit.engine.ops._convolution import rows_read, window_fields
from edgekit.engine.ops._linear import Linear
from edgekit.engine.packings import Packed
from edgekit.tflite.graph import Graph, Op


def lower(graph: Graph, op: Op, *, wide_weights: bool) -> Lowered | None:
    """Lower a 3x3 window over four channels or more, not dilated, whose columns are at stride 1 or 2."""
    layer = _linear.linear(graph, op)
    weights = window_of(layer)
    if weights is None or layer.kernel_suffix != "s8":
        return None
    scale = scaling(layer, weights.reshape(9, -1).T)
    if scale is None:
        return None
    packed = (
        None
        if wide_weights
        else Packed("int8", Constant("codes", taps(weights).reshape(-1).view(np.uint8), "(channels, 9): int8"), None)
    )
    constants = (channel_words(weights, scale),) if packed is None else (*packed.constants, *channel_scales(scale))
    return Lowered(
        kernel=f"depthwise_conv_2d_3x3_{variant(layer)}_s8.dsp",
        fields=fields(layer, scale, packed),
        constants=constants,
        inputs=(op.inputs[0],),
        output=op.outputs[0],
        scratch_bytes=scratch_bytes(layer, wide_weights=wide_weights),
        rows_read=(rows_read(layer, 3),),
    )


def window_of(layer: Linear) -> NDArray[np.int8] | None:
    """Return weights of shape (3, 3, channels) that the kernels take; None of a layer that they do not."""
    _, kernel_rows, kernel_columns, channels = layer.weights.shape
    window = window_fields(layer, (kernel_rows, kernel_columns))
    dilated = window["dilation_rows"] != 1 or window["dilation_columns"] != 1
    is_3x3 = kernel_rows == kernel_columns == 3
    if not is_3x3 or dilated or window["stride_columns"] not in (1, 2) or channels < CHANNELS:
        return None
    if layer.input.shape[3] != channels:
        return None
    assert layer.weights.data is not None
    return layer.weights.data.reshape(3, 3, channels)


def variant(layer: Linear) -> str:
    """Return which of the kernels serves, as their names say it."""
    return f"stride_{layer.op.options['strideW']}_{'relu' if is_relu(layer) else 'signed'}"


def fields(layer: Linear, scale: Scaling, packed: Packed | None) -> dict[str, Any]:
    """Return the settings of a layer that stores packed weights, or words of each channel."""
    window = window_fields(layer, (3, 3))
    return {
        "channels": "channels" if packed is None else None,
        "packed": {"codes": None, "values": None} if packed is None else packed.fields,
        **{name: None if packed is None else name for name in ("scales", "shifts")},
        "rounding": scale.rounding_of_one,
        **{name: window[name] for name in ("input_rows", "input_columns", "input_channels")},
        **{name: window[name] for name in ("stride_rows", "pad_top", "pad_left")},
        "output_columns": layer.output.shape[2],
        "column_pairs": column_pairs(layer.output.shape[2], window["stride_columns"]),
        **clamp_fields(layer),
        "input_zero_point": zero_point_of(layer.input),
    }


def scratch_bytes(layer: Linear, *, wide_weights: bool) -> int:
    """Return the bytes of the strip, and of the words of four channels where not all of them are stored."""
    pairs = column_pairs(layer.output.shape[2], window_fields(layer, (3, 3))["stride_columns"])
    return STRIP_BYTES * pairs + (0 if wide_weights else BLOCK_BYTES)
