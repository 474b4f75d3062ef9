"""FULLY_CONNECTED for the vector extension. Twin: firmware/engine/fully_connected_tile_s8.mve.h."""

from __future__ import annotations

from edgekit.engine.cores.mve._matrix import matrix, suits
from edgekit.engine.lowered import Lowered, row_shape
from edgekit.engine.ops import _linear
from edgekit.tflite.graph import Graph, Op


def lower(graph: Graph, op: Op, *, wide_weights: bool) -> Lowered | None:  # noqa: ARG001
    """Lower one fully connected layer whose weights are a constant matrix."""
    layer = _linear.linear(graph, op)
    quant = layer.weights.quant
    if not suits(layer) or quant is None or any(quant.zero_point):
        return None
    assert layer.weights.data is not None
    made = matrix(layer, layer.weights.data.reshape(layer.weights.shape[-2:]))
    return Lowered(
        kernel="fully_connected_tile_s8.mve",
        fields={"matrix": made.fields, "vectors": row_shape(layer.output)[1] // layer.output.shape[-1]},
        constants=made.constants,
        inputs=(op.inputs[0],),
        output=op.outputs[0],
    )
