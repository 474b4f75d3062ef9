"""FULLY_CONNECTED on x86. Twin: firmware/engine/fully_connected_lanes_s8.x86.h."""

from __future__ import annotations

from edgekit.engine.cores.x86._tile import PIXELS, matrix, wide_bytes
from edgekit.engine.lowered import Lowered, row_shape, same_rows
from edgekit.engine.ops import _linear
from edgekit.tflite.graph import Graph, Op


def lower(graph: Graph, op: Op, *, wide_weights: bool) -> Lowered | None:  # noqa: ARG001 (widened in registers)
    """Lower int8 vectors times a constant int8 matrix."""
    layer = _linear.linear(graph, op)
    if layer.weights.data is None or layer.weights.dtype != "int8" or layer.input.dtype != "int8":
        return None
    if layer.weights.quant is None or any(layer.weights.quant.zero_point) or not _linear.scales_down(layer):
        return None
    rows = layer.weights.data.reshape(layer.weights.shape[-2:])
    outputs, depth = rows.shape
    vectors = row_shape(layer.output)[1] // outputs
    made = matrix(layer, rows)
    return Lowered(
        kernel="fully_connected_lanes_s8.x86",
        fields={"matrix": made.fields, "vectors": vectors},
        constants=made.constants,
        inputs=(op.inputs[0],),
        output=op.outputs[0],
        scratch_bytes=wide_bytes(depth, 1 if vectors == 1 else PIXELS),
        rows_read=(same_rows(graph, op.inputs[0], op.outputs[0]),),
    )
