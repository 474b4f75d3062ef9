"""DEPTHWISE_CONV_2D for the vector extension. Twin: firmware/engine/depthwise_conv_2d_3x3_strips_s8.mve.h."""

from __future__ import annotations

from collections.abc import Mapping

from edgekit.engine.cores.mve._matrix import GROUP, LANES, clamp_fields, suits
from edgekit.engine.lowered import Constant, Lowered
from edgekit.engine.ops import _linear
from edgekit.engine.ops._convolution import rows_read, window_fields
from edgekit.engine.ops._linear import Linear
from edgekit.tflite.graph import Graph, Op

_ROWS = 4  # of a column of a strip: a power of two that holds a window
_MOST_OFFSET = (1 << 16) - 1


def lower(graph: Graph, op: Op, *, wide_weights: bool) -> Lowered | None:  # noqa: ARG001
    """Lower a 3x3 kernel whose windows are one column or two apart, without dilation and depth multiplier."""
    layer = _linear.linear(graph, op)
    _, kernel_rows, kernel_columns, channels = layer.weights.shape
    window = window_fields(layer, (kernel_rows, kernel_columns))
    strip_columns = (layer.output.shape[2] - 1) * window["stride_columns"] + kernel_columns
    columns_read = min(layer.input.shape[2], strip_columns - window["pad_left"])
    if not (suits(layer) and _slides(layer, window) and columns_read > 0):
        return None
    # The strips of eight channels are written at once, by offsets of 16 bits.
    if 7 * _ROWS * strip_columns > _MOST_OFFSET:
        return None
    assert layer.weights.data is not None
    rows = layer.weights.data.reshape(kernel_rows * kernel_columns, channels).T
    return Lowered(
        kernel="depthwise_conv_2d_3x3_strips_s8.mve",
        fields={
            "window": window,
            **_linear.CHANNEL_FIELDS,
            "channels": channels,
            "output_columns": layer.output.shape[2],
            "columns_read": columns_read,
            "strip_columns": strip_columns,
            **clamp_fields(layer),
        },
        constants=_linear.channel_constants(layer, Constant("weights", rows.reshape(-1), f"({channels}, 3, 3)"), rows),
        inputs=(op.inputs[0],),
        output=op.outputs[0],
        scratch_bytes=_ROWS * strip_columns * channels + LANES,
        rows_read=(rows_read(layer, kernel_rows),),
    )


def _slides(layer: Linear, window: Mapping[str, int]) -> bool:
    """Whether the kernel has 3x3 places, one or two columns apart, and channels for a group."""
    channels = layer.weights.shape[3]
    return (
        window["kernel_rows"] == window["kernel_columns"] == 3
        and window["stride_columns"] in (1, 2)
        and window["dilation_rows"] == window["dilation_columns"] == 1
        and channels == layer.input.shape[3]
        and channels >= GROUP
    )
