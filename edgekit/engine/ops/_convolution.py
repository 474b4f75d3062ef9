"""What convolutions and fully connected layers share: folded biases, multipliers, windows."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edgekit.engine.lowered import Constant, activation_range, scale_of, zero_point_of
from edgekit.engine.multiplier import quantize_multiplier
from edgekit.tflite.graph import Graph, Op

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


def window_fields(graph: Graph, op: Op, kernel: tuple[int, int], repeat: int) -> dict[str, Any]:
    """Return the fields of `ek_window_s8`."""
    _, rows, columns, channels = graph.tensors[op.inputs[0]].shape
    _, output_rows, output_columns, _ = graph.tensors[op.outputs[0]].shape
    options = op.options
    stride_rows, stride_columns = int(options["strideH"]), int(options["strideW"])
    dilation_rows, dilation_columns = int(options["dilationHFactor"]), int(options["dilationWFactor"])
    padding = int(options["padding"])
    return {
        "input_rows": rows,
        "input_columns": columns,
        "input_channels": channels,
        "kernel_rows": kernel[0],
        "kernel_columns": kernel[1],
        "stride_rows": stride_rows,
        "stride_columns": stride_columns,
        "dilation_rows": dilation_rows,
        "dilation_columns": dilation_columns,
        "pad_top": padding_before(rows, output_rows, kernel[0], stride_rows, dilation_rows, padding),
        "pad_left": padding_before(columns, output_columns, kernel[1], stride_columns, dilation_columns, padding),
        "repeat": repeat,
        "input_zero_point": zero_point_of(graph.tensors[op.inputs[0]]),
    }


def folded_bias(graph: Graph, op: Op, rows: NDArray[Any]) -> Constant:
    """Return the bias with the input zero point folded in.

    sum((x - zero_point) * w) + bias = sum(x * w) + (bias - zero_point * sum(w)); the kernel computes only sum(x * w).

    Args:
        graph, op: the layer.
        rows: int8 weights, shape (output_channels, depth).
    """
    has_bias = len(op.inputs) > 2 and op.inputs[2] >= 0
    bias = graph.tensors[op.inputs[2]].data if has_bias else np.zeros(rows.shape[0], np.int32)
    assert bias is not None
    folded = bias.astype(np.int64).reshape(-1) - zero_point_of(graph.tensors[op.inputs[0]]) * rows.astype(np.int64).sum(
        axis=1
    )
    # int32 arithmetic wraps on the device as it does here, so the sums agree even where a fold overflows.
    return Constant("bias", folded.astype(np.int32), f"({rows.shape[0]})")


def multiplier_constants(graph: Graph, op: Op, channels: int) -> tuple[Constant, Constant, int]:
    """Return multipliers, shifts, and 1 where there is one for each channel."""
    weights = graph.tensors[op.inputs[1]].quant
    assert weights is not None
    input_scale, output_scale = scale_of(graph.tensors[op.inputs[0]]), scale_of(graph.tensors[op.outputs[0]])
    products = [input_scale * scale for scale in weights.scale]
    if op.kind == "FULLY_CONNECTED" and len(products) == 1:
        # TFLite multiplies the two scales of a per-tensor layer in float32, and those of every other one in double.
        products = [float(np.float32(input_scale) * np.float32(weights.scale[0]))]
    pairs = [quantize_multiplier(product / output_scale) for product in products]
    per_channel = int(len(pairs) == channels and channels > 1)
    multiplier = Constant("multiplier", np.array([pair[0] for pair in pairs], np.int32), f"({len(pairs)})")
    shift = Constant("shift", np.array([pair[1] for pair in pairs], np.int8), f"({len(pairs)})")
    return multiplier, shift, per_channel


def output_fields(graph: Graph, op: Op) -> Mapping[str, int]:
    """Return zero point and clamp of the output."""
    output = graph.tensors[op.outputs[0]]
    low, high = activation_range(op, output)
    return {"output_zero_point": zero_point_of(output), "activation_min": low, "activation_max": high}
