"""CONV_2D. Twins: firmware/engine/conv_2d_*_*_s8.dsp.h, for weights of int16 or int8, behind a ReLU or not."""

from __future__ import annotations

from edgekit.engine.cores.dsp._scaling import clamp_fields, is_relu, scaling
from edgekit.engine.cores.dsp._tile import CHANNELS, padded, stream
from edgekit.engine.lowered import Lowered
from edgekit.engine.ops import _linear
from edgekit.engine.ops._convolution import rows_read, window_fields
from edgekit.tflite.graph import Graph, Op


def lower(graph: Graph, op: Op, *, wide_weights: bool) -> Lowered | None:
    """Lower a convolution of int8 with int8, ungrouped, with four output channels or more."""
    layer = _linear.linear(graph, op)
    channels, kernel_rows, kernel_columns, seen = layer.weights.shape
    if layer.kernel_suffix != "s8" or seen != layer.input.shape[3] or channels < CHANNELS:
        return None
    assert layer.weights.data is not None
    rows = layer.weights.data.reshape(channels, -1)
    scale = scaling(layer, rows)
    if scale is None:
        return None
    window = window_fields(layer, (kernel_rows, kernel_columns))
    depth = rows.shape[1]
    pointwise = kernel_rows == kernel_columns == 1
    return Lowered(
        kernel=f"conv_2d_{'wide' if wide_weights else 'narrow'}_{'relu' if is_relu(layer) else 'signed'}_s8.dsp",
        fields={
            "window": window,
            "blocks": "blocks",
            "depth": depth,
            "output_columns": layer.output.shape[2],
            "output_channels": channels,
            "pointwise": int(pointwise),
            **clamp_fields(layer),
        },
        constants=(stream(rows, scale, wide=wide_weights),),
        inputs=(op.inputs[0],),
        output=op.outputs[0],
        # Two pixels of int16; where there are borders, one more of bytes, and two words that copies may run over.
        scratch_bytes=padded(depth) * 4 if pointwise else padded(depth) * 5 + 8,
        rows_read=(rows_read(layer, kernel_rows),),
    )
