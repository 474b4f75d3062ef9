"""CONV_2D. Twins: firmware/engine/conv_2d_s8.h, conv_2d_grouped_s8.h, conv_2d_s16.h."""

from __future__ import annotations

from typing import Any

from numpy.typing import NDArray

from edgekit.engine.lowered import Lowered, has_fused_activation, images_of_batch_one
from edgekit.engine.ops import _linear
from edgekit.engine.ops._convolution import rows_read, window_fields
from edgekit.engine.ops._linear import Linear
from edgekit.engine.ops._matrix import matrix
from edgekit.tflite.graph import Graph, Op

_TILE_PIXELS = 2  # EK_TILE_PIXELS of firmware/engine/tile_pixels.h
_KERNELS = {"s8": "conv_2d_grouped_s8", "s16": "conv_2d_s16"}


def groups_are_equal(graph: Graph, op: Op) -> str | None:
    """weights that see all input channels, or as many in each group"""
    channels, weights = graph.tensors[op.inputs[0]].shape[3], graph.tensors[op.inputs[1]].shape
    if channels % weights[3] == 0 and weights[0] % (channels // weights[3]) == 0:
        return None
    return f"{weights[0]} output channels that see {weights[3]} of {channels} channels"


CHECKS = (images_of_batch_one, *_linear.CHECKS, has_fused_activation, groups_are_equal)


def lower(graph: Graph, op: Op) -> Lowered:
    """Lower one convolution to a gathered patch times a matrix, for each group of channels."""
    layer = _linear.linear(graph, op)
    assert layer.weights.data is not None
    channels, kernel_rows, kernel_columns, seen = layer.weights.shape
    groups = layer.input.shape[3] // seen
    rows = layer.weights.data.reshape(channels, -1)
    if layer.kernel_suffix == "s8" and groups == 1 and _linear.scales_down(layer):
        return lower_tiles(layer, rows, (kernel_rows, kernel_columns))
    made = matrix(layer, rows, groups)
    return Lowered(
        kernel=_KERNELS[layer.kernel_suffix],
        fields={
            "window": window_fields(layer, (kernel_rows, kernel_columns), groups=groups),
            "matrix": made.fields,
            "groups": groups,
            "weight_bytes": made.weight_bytes,
            "output_columns": layer.output.shape[2],
        },
        constants=made.constants,
        inputs=(op.inputs[0],),
        output=op.outputs[0],
        scratch_bytes=kernel_rows * kernel_columns * seen * (2 if layer.input.dtype == "int16" else 1),
        rows_read=(rows_read(layer, kernel_rows),),
    )


def lower_tiles(layer: Linear, rows: NDArray[Any], kernel: tuple[int, int]) -> Lowered:
    """Lower a layer of int8 whose accumulators `ek_scale` of requantize.h scales to several pixels times a matrix.

    Args:
        layer: a convolution of all input channels.
        rows: its weights, shape (output channels, depth).
        kernel: rows and columns of its window.
    """
    made = matrix(layer, rows)
    return Lowered(
        kernel="conv_2d_s8",
        fields={
            "window": window_fields(layer, kernel),
            "matrix": made.fields,
            "output_columns": layer.output.shape[2],
        },
        constants=made.constants,
        inputs=(layer.op.inputs[0],),
        output=layer.op.outputs[0],
        scratch_bytes=_TILE_PIXELS * rows.shape[1],
        rows_read=(rows_read(layer, kernel[0]),),
    )
