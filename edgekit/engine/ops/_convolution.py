"""The windows through which convolutions look."""

from __future__ import annotations

from typing import Any

from edgekit.engine.lowered import RowsRead, zero_point_of
from edgekit.engine.ops._linear import Linear

_SAME = 0


def padding_before(size: int, output: int, kernel: int, stride: int, dilation: int, padding: int) -> int:
    """Return how many positions of padding stand before the input along one axis.

    Example:
        >>> padding_before(49, 25, 10, 2, 1, 0)
        4
    """
    if padding != _SAME:
        return 0
    return max((output - 1) * stride + (kernel - 1) * dilation + 1 - size, 0) // 2


def rows_read(layer: Linear, kernel_rows: int) -> RowsRead:
    """Return which rows of the input a window of so many rows looks at."""
    options = layer.op.options
    stride, dilation = int(options["strideH"]), int(options["dilationHFactor"])
    before = padding_before(
        layer.input.shape[1], layer.output.shape[1], kernel_rows, stride, dilation, int(options["padding"])
    )
    return RowsRead(stride, before, (kernel_rows - 1) * dilation + 1)


def window_fields(layer: Linear, kernel: tuple[int, int], *, repeat: int = 1, groups: int = 1) -> dict[str, Any]:
    """Return the fields of `ek_window_s8`, which counts bytes where activations are wider than one.

    Args:
        layer: the convolution.
        kernel: its rows and columns.
        repeat: how often each channel stands in the patch.
        groups: parts of the channels that are looked at one after another.
    """
    _, rows, columns, channels = layer.input.shape
    _, output_rows, output_columns, _ = layer.output.shape
    options = layer.op.options
    stride_rows, stride_columns = int(options["strideH"]), int(options["strideW"])
    dilation_rows, dilation_columns = int(options["dilationHFactor"]), int(options["dilationWFactor"])
    padding = int(options["padding"])
    return {
        "input_rows": rows,
        "input_columns": columns,
        "input_channels": channels // groups * (2 if layer.input.dtype == "int16" else 1),
        "kernel_rows": kernel[0],
        "kernel_columns": kernel[1],
        "stride_rows": stride_rows,
        "stride_columns": stride_columns,
        "dilation_rows": dilation_rows,
        "dilation_columns": dilation_columns,
        "pad_top": padding_before(rows, output_rows, kernel[0], stride_rows, dilation_rows, padding),
        "pad_left": padding_before(columns, output_columns, kernel[1], stride_columns, dilation_columns, padding),
        "repeat": repeat,
        "input_zero_point": zero_point_of(layer.input),
    }
