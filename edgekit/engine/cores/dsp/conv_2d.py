"""CONV_2D. Twins: firmware/engine/conv_2d_*_*_s8.dsp.h, for weights of int16 or int8, behind a ReLU or not."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from edgekit.engine.cores.dsp import _runs
from edgekit.engine.cores.dsp._scaling import Scaling, is_relu, scaling
from edgekit.engine.cores.dsp._tile import CHANNELS, has_whole_rows, padded, pair_fields, stream, whole_rows
from edgekit.engine.lowered import Lowered
from edgekit.engine.ops import _linear
from edgekit.engine.ops._convolution import rows_read
from edgekit.engine.ops._linear import Linear
from edgekit.tflite.graph import Graph, Op


def lower(graph: Graph, op: Op, *, wide_weights: bool) -> Lowered | None:
    """Lower a convolution of int8 with int8, ungrouped, with four output channels or more."""
    layer = _linear.linear(graph, op)
    rows = matrix(layer) if layer.kernel_suffix == "s8" else None
    scale = None if rows is None else scaling(layer, rows)
    if rows is None or scale is None:
        return None
    if not wide_weights and _runs.fits(rows, scale, _runs.INT8):
        return _runs.convolution(graph, layer, scale, _runs.plain(layer, rows))
    return lower_pairs(layer, rows, scale, wide_weights=wide_weights)


def matrix(layer: Linear) -> NDArray[np.int8] | None:
    """Return weights of shape (channels, depth) that the kernels take; None of a layer that they do not."""
    channels, _, _, seen = layer.weights.shape
    if layer.input.dtype != "int8" or seen != layer.input.shape[3] or channels < CHANNELS:
        return None
    assert layer.weights.data is not None
    return layer.weights.data.reshape(channels, -1)


def lower_pairs(
    layer: Linear, rows: NDArray[np.int8], scale: Scaling, *, wide_weights: bool, plain_rows: bool = False
) -> Lowered:
    """Lower to the kernels that take the whole stream of weights for each two pixels.

    Args:
        layer: the convolution.
        rows: its weights, shape (channels, depth).
        scale: of each channel.
        wide_weights: whether they are stored as int16.
        plain_rows: no zeros stand between the rows of a window.
    """
    kernel_rows, kernel_columns = layer.weights.shape[1:3]
    is_whole = not plain_rows and has_whole_rows(layer)
    rows = whole_rows(rows, kernel_rows) if is_whole else rows
    depth = rows.shape[1]
    pointwise = kernel_rows == kernel_columns == 1
    return Lowered(
        kernel=f"conv_2d_{'wide' if wide_weights else 'narrow'}_{'relu' if is_relu(layer) else 'signed'}_s8.dsp",
        fields=pair_fields(layer, depth, "blocks"),
        constants=(stream(rows, scale, wide=wide_weights),),
        inputs=(layer.op.inputs[0],),
        output=layer.op.outputs[0],
        # Two pixels of int16; where there are borders, one more of bytes, and two words that copies may run over.
        scratch_bytes=padded(depth) * 4 if pointwise else padded(depth) * 5 + 8,
        rows_read=(rows_read(layer, kernel_rows),),
    )
