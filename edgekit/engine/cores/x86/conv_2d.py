"""CONV_2D on x86. Twin: firmware/engine/conv_2d_lanes_s8.x86.h."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from edgekit.engine.cores.x86._tile import PIXELS, matrix, wide_bytes
from edgekit.engine.lowered import Lowered
from edgekit.engine.ops import _linear
from edgekit.engine.ops._convolution import rows_read, window_fields
from edgekit.engine.ops._linear import Linear
from edgekit.tflite.graph import Graph, Op


def lower(graph: Graph, op: Op, *, wide_weights: bool) -> Lowered | None:  # noqa: ARG001 (widened in registers)
    """Lower a convolution of int8 with int8, ungrouped."""
    layer = _linear.linear(graph, op)
    channels, kernel_rows, kernel_columns, seen = layer.weights.shape
    if layer.kernel_suffix != "s8" or seen != layer.input.shape[3] or not _linear.scales_down(layer):
        return None
    assert layer.weights.data is not None
    return lower_lanes(layer, layer.weights.data.reshape(channels, -1), (kernel_rows, kernel_columns))


def lower_lanes(layer: Linear, rows: NDArray[np.int8], kernel: tuple[int, int]) -> Lowered:
    """Lower a layer that `_linear.scales_down` allows to four pixels times a matrix.

    Args:
        layer: a convolution of all input channels.
        rows: its weights, shape (output channels, depth).
        kernel: rows and columns of its window.
    """
    made = matrix(layer, rows)
    depth = rows.shape[1]
    pointwise = kernel == (1, 1)
    return Lowered(
        kernel="conv_2d_lanes_s8.x86",
        fields={
            "window": window_fields(layer, kernel),
            "matrix": made.fields,
            "output_columns": layer.output.shape[2],
            "pointwise": int(pointwise),
        },
        constants=made.constants,
        inputs=(layer.op.inputs[0],),
        output=layer.op.outputs[0],
        scratch_bytes=wide_bytes(depth, PIXELS) + (0 if pointwise else PIXELS * depth),
        rows_read=(rows_read(layer, kernel[0]),),
    )
