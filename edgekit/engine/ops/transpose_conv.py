"""TRANSPOSE_CONV. Twins: firmware/engine/transpose_conv_s8.h, transpose_conv_s16.h."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edgekit.engine.lowered import Constant, Lowered, has_fused_activation, zero_point_of
from edgekit.engine.ops import _linear
from edgekit.engine.ops._convolution import padding_before
from edgekit.engine.ops._linear import Linear
from edgekit.engine.weights import WeightEncoding, encode
from edgekit.tflite.graph import Graph, Op


def images_and_weights_fit(graph: Graph, op: Op) -> str | None:
    """images of shape (1, height, width, channels) in and out, and weights between their channels"""
    layer = _linear.linear(graph, op)
    before, weights, after = layer.input.shape, layer.weights.shape, layer.output.shape
    if len(before) != 4 or len(weights) != 4 or len(after) != 4 or before[0] != 1 or after[0] != 1:
        return f"shapes {list(before)} and {list(after)}"
    return None if (weights[3], weights[0]) == (before[3], after[3]) else f"weights of shape {list(weights)}"


def weights_are_int8(graph: Graph, op: Op) -> str | None:
    """int8 weights"""
    dtype = graph.tensors[op.inputs[1]].dtype
    return None if dtype == "int8" else f"{dtype} weights"


CHECKS = (images_and_weights_fit, weights_are_int8, *_linear.CHECKS, has_fused_activation)


def lower(graph: Graph, op: Op) -> Lowered:
    """Lower one transposed convolution to as many convolutions as there are phases between its strides."""
    layer = _linear.linear(graph, op)
    weights = layer.weights.data
    assert weights is not None
    transposed = _transposed_fields(layer)
    stride_rows, stride_columns = transposed["stride_rows"], transposed["stride_columns"]
    # Output pixels of a phase see later input pixels through earlier kernel positions.
    phases = [
        weights[:, row::stride_rows, column::stride_columns][:, ::-1, ::-1].reshape(weights.shape[0], -1)
        for row in range(stride_rows)
        for column in range(stride_columns)
    ]
    encoded = [encode(phase, WeightEncoding.INTERLEAVED_4) for phase in phases]
    begins = np.cumsum([0, *(part.size for part in encoded[:-1])]).astype(np.int32)
    element_bytes = 2 if layer.kernel_suffix == "s16" else 1
    return Lowered(
        kernel=f"transpose_conv_{layer.kernel_suffix}",
        fields={
            "window": _window_fields(layer, element_bytes),
            "matrix": _matrix_fields(layer),
            "weight_begin": "weight_begin",
            "transposed": transposed,
            "output_columns": layer.output.shape[2],
        },
        constants=(
            Constant("weights", np.concatenate(encoded), f"{len(phases)} phases, in blocks of 4 channels"),
            _biases(layer, phases),
            *_linear.multiplier_constants(layer, spread=True)[:2],
            Constant("weight_begin", begins, f"({stride_rows}, {stride_columns})"),
        ),
        inputs=(op.inputs[2],),
        output=op.outputs[0],
        scratch_bytes=max(phase.shape[1] for phase in phases) * element_bytes,
    )


def _matrix_fields(layer: Linear) -> Mapping[str, Any]:
    return {
        "weights": "weights",
        "bias": "bias",
        "multiplier": "multiplier",
        "shift": "shift",
        "per_channel": int(layer.channels > 1),
        **({"narrow": 0} if layer.kernel_suffix == "s16" else {"scales_down": int(_linear.scales_down(layer))}),
        "depth": layer.input.shape[3],
        "output_channels": layer.channels,
        **_linear.output_fields(layer),
    }


def _biases(layer: Linear, phases: list[NDArray[Any]]) -> Constant:
    """For int8 one bias a phase, as each has its own sum of weights to fold; int16 has no zero point to fold."""
    parts = [_linear.bias_constant(layer, phase).values for phase in phases]
    if layer.kernel_suffix == "s16":
        return Constant("bias", parts[0], f"({layer.channels})")
    return Constant("bias", np.concatenate(parts), f"({len(phases)}, {layer.channels})")


def _transposed_fields(layer: Linear) -> Mapping[str, int]:
    _, kernel_rows, kernel_columns, _ = layer.weights.shape
    _, rows, columns, _ = layer.output.shape
    options = layer.op.options
    stride_rows, stride_columns, padding = int(options["strideH"]), int(options["strideW"]), int(options["padding"])
    # The convolution whose gradient this is runs from the output to the input.
    back_rows, back_columns = -(-rows // stride_rows), -(-columns // stride_columns)
    return {
        "kernel_rows": kernel_rows,
        "kernel_columns": kernel_columns,
        "stride_rows": stride_rows,
        "stride_columns": stride_columns,
        "pad_top": padding_before(rows, back_rows, kernel_rows, stride_rows, 1, padding),
        "pad_left": padding_before(columns, back_columns, kernel_columns, stride_columns, 1, padding),
    }


def _window_fields(layer: Linear, element_bytes: int) -> Mapping[str, int]:
    _, rows, columns, channels = layer.input.shape
    return {
        "input_rows": rows,
        "input_columns": columns,
        "input_channels": channels * element_bytes,
        "kernel_rows": 0,
        "kernel_columns": 0,
        "stride_rows": 1,
        "stride_columns": 1,
        "dilation_rows": 1,
        "dilation_columns": 1,
        "pad_top": 0,
        "pad_left": 0,
        "repeat": 1,
        "input_zero_point": zero_point_of(layer.input),
    }
