"""FULLY_CONNECTED on the LX6. Twins: firmware/engine/fully_connected_dots_s8.mac16.h and, for weights that stay int8,
fully_connected_narrow_s8.mac16.h."""

from __future__ import annotations

from edgekit.engine.cores.mac16 import _narrow
from edgekit.engine.cores.mac16._channels import channels, output_fields
from edgekit.engine.cores.mac16._strip import by_words, pairs, vector_bytes
from edgekit.engine.lowered import Lowered, row_shape, same_rows
from edgekit.engine.ops import _linear
from edgekit.tflite.graph import Graph, Op


def lower(graph: Graph, op: Op, *, wide_weights: bool) -> Lowered | None:
    """Lower a fully connected layer of one vector a row; see `edgekit.engine.cores.CoreModule.lower`."""
    layer = _linear.linear(graph, op)
    suits = _linear.weights_are_constant(graph, op) is None and layer.kernel_suffix == "s8"
    if not suits or row_shape(layer.output)[1] != layer.output.shape[-1]:
        return None
    assert layer.weights.data is not None
    depth = layer.weights.shape[-1]
    weights = layer.weights.data.reshape(-1, depth)
    constants = channels(layer, weights) if wide_weights else channels(layer, weights, compact=True, held=_narrow.HELD)
    if constants is None:
        return None
    is_by_words = depth % 4 == 0 and layer.input.data is None
    ordered = by_words(weights) if is_by_words else weights
    return Lowered(
        kernel=f"fully_connected_{'dots' if wide_weights else 'narrow'}_s8.mac16",
        fields={
            "weights": "weights",
            "channels": "channels",
            "to": output_fields(layer),
            "depth": depth,
            "quads": -(-depth // 4),
            "by_words": int(is_by_words),
        },
        constants=(pairs(ordered) if wide_weights else _narrow.words(ordered), constants),
        inputs=(op.inputs[0],),
        output=op.outputs[0],
        scratch_bytes=vector_bytes(depth),
        rows_read=(same_rows(graph, op.inputs[0], op.outputs[0]),),
    )
