"""CONV_2D on the LX6. Twin: firmware/engine/conv_2d_dots_s8.mac16.h."""

from __future__ import annotations

from edgekit.engine.cores.mac16._channels import channels, output_fields
from edgekit.engine.cores.mac16._strip import strip, window
from edgekit.engine.lowered import Lowered
from edgekit.engine.ops import _linear
from edgekit.engine.ops._convolution import rows_read
from edgekit.tflite.graph import Graph, Op


def lower(graph: Graph, op: Op, *, wide_weights: bool) -> Lowered | None:
    """Lower one convolution to dot products of int16; see `edgekit.engine.cores.CoreModule.lower`."""
    layer = _linear.linear(graph, op)
    weights = layer.weights.data
    assert weights is not None
    if not wide_weights or layer.kernel_suffix != "s8" or weights.shape[3] != layer.input.shape[3]:
        return None
    constants = channels(layer, weights.reshape(len(weights), -1))
    if constants is None:
        return None
    made = strip(layer, (weights.shape[1], weights.shape[2]))
    return Lowered(
        kernel="conv_2d_dots_s8.mac16",
        fields={
            "window": window(layer, made),
            "weights": "weights",
            "channels": "channels",
            "to": output_fields(layer),
            "quads": made.quads,
            "output_columns": layer.output.shape[2],
            "run": made.run,
        },
        constants=(made.weights(weights), constants),
        inputs=(op.inputs[0],),
        output=op.outputs[0],
        scratch_bytes=made.scratch_bytes,
        rows_read=(rows_read(layer, made.kernel[0]),),
    )
