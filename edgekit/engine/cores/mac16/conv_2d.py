"""CONV_2D on the LX6. Twins: firmware/engine/conv_2d_dots_s8.mac16.h, conv_2d_narrow_s8.mac16.h."""

from __future__ import annotations

from edgekit.engine.cores.mac16 import _narrow
from edgekit.engine.cores.mac16._channels import channels, output_fields
from edgekit.engine.cores.mac16._strip import pairs, strip, window
from edgekit.engine.lowered import Constant, Lowered
from edgekit.engine.ops import _linear
from edgekit.engine.ops._convolution import rows_read
from edgekit.engine.ops._linear import Linear
from edgekit.tflite.graph import Graph, Op


def lower(graph: Graph, op: Op, *, wide_weights: bool) -> Lowered | None:
    """Lower one convolution to dot products of int16; see `edgekit.engine.cores.CoreModule.lower`."""
    layer = _linear.linear(graph, op)
    weights = layer.weights.data
    assert weights is not None
    if layer.kernel_suffix != "s8" or weights.shape[3] != layer.input.shape[3]:
        return None
    rows = weights.reshape(len(weights), -1)
    constants = channels(layer, rows) if wide_weights else channels(layer, rows, compact=True, held=_narrow.HELD)
    if constants is None:
        return None
    return _wide(layer, constants) if wide_weights else _narrow_weights(layer, constants)


def _wide(layer: Linear, constants: Constant) -> Lowered:
    """Weights of int16 in flash."""
    assert layer.weights.data is not None
    made = strip(layer, (layer.weights.shape[1], layer.weights.shape[2]))
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
        constants=(pairs(made.rows(layer.weights.data)), constants),
        inputs=(layer.op.inputs[0],),
        output=layer.op.outputs[0],
        scratch_bytes=made.scratch_bytes,
        rows_read=(rows_read(layer, made.kernel[0]),),
    )


def _narrow_weights(layer: Linear, constants: Constant) -> Lowered:
    """Weights of int8, each channel's widened for a block of pixels."""
    assert layer.weights.data is not None
    made = _narrow.block(layer, (layer.weights.shape[1], layer.weights.shape[2]))
    return Lowered(
        kernel="conv_2d_narrow_s8.mac16",
        fields={"weights": "weights", "pixels": made.fields(layer)},
        constants=(_narrow.words(made.strip.rows(layer.weights.data)), constants),
        inputs=(layer.op.inputs[0],),
        output=layer.op.outputs[0],
        scratch_bytes=made.scratch_bytes,
        rows_read=(rows_read(layer, made.strip.kernel[0]),),
    )
