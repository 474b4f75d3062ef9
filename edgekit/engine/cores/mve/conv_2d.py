"""CONV_2D for the vector extension. Twins: firmware/engine/conv_2d_tile_s8.mve.h, conv_2d_thin_s8.mve.h."""

from __future__ import annotations

from edgekit.engine.cores.mve._matrix import GROUP, LANES, clamp_fields, matrix, suits
from edgekit.engine.lowered import Constant, Lowered
from edgekit.engine.ops import _linear
from edgekit.engine.ops._convolution import rows_read, window_fields
from edgekit.engine.ops._linear import Linear
from edgekit.tflite.graph import Graph, Op

_MOST_ROWS = 16  # of a kernel whose rows are found once for a row of the output


def lower(graph: Graph, op: Op, *, wide_weights: bool) -> Lowered | None:  # noqa: ARG001
    """Lower one convolution: two gathered patches at a time times a matrix, or a row of thin pixels."""
    layer = _linear.linear(graph, op)
    channels, kernel_rows, kernel_columns, seen = layer.weights.shape
    if not suits(layer) or layer.input.shape[3] != seen:
        return None
    assert layer.weights.data is not None
    window = window_fields(layer, (kernel_rows, kernel_columns))
    pointwise = kernel_rows == kernel_columns == 1 and window["pad_top"] == window["pad_left"] == 0
    if pointwise and seen <= LANES and channels >= GROUP:
        return _thin(layer)
    made = matrix(layer, layer.weights.data.reshape(channels, -1))
    return Lowered(
        kernel="conv_2d_tile_s8.mve",
        fields={
            "window": window,
            "matrix": made.fields,
            "output_columns": layer.output.shape[2],
            "pointwise": int(pointwise),
            "copies_rows": int(not pointwise and window["dilation_columns"] == 1 and kernel_rows <= _MOST_ROWS),
        },
        constants=made.constants,
        inputs=(op.inputs[0],),
        output=op.outputs[0],
        scratch_bytes=0 if pointwise else 2 * kernel_rows * kernel_columns * seen,
        rows_read=(rows_read(layer, kernel_rows),),
    )


def _thin(layer: Linear) -> Lowered:
    """Lower a 1x1 kernel whose input pixels fit into one vector."""
    channels, depth = layer.weights.shape[0], layer.weights.shape[3]
    assert layer.weights.data is not None
    rows = layer.weights.data.reshape(channels, depth)
    return Lowered(
        kernel="conv_2d_thin_s8.mve",
        fields={
            **_linear.CHANNEL_FIELDS,
            "depth": depth,
            "output_channels": channels,
            "stride_rows": int(layer.op.options["strideH"]),
            "stride_columns": int(layer.op.options["strideW"]),
            "output_columns": layer.output.shape[2],
            **clamp_fields(layer),
        },
        constants=_linear.channel_constants(
            layer, Constant("weights", rows.reshape(-1), f"({channels}, {depth})"), rows
        ),
        inputs=(layer.op.inputs[0],),
        output=layer.op.outputs[0],
        rows_read=(rows_read(layer, 1),),
    )
