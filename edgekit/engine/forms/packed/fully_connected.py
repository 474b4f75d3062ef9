"""FULLY_CONNECTED of packed weights. Twins: firmware/engine/fully_connected_packed_s8.h,
fully_connected_<packing>_s8.h."""

from __future__ import annotations

from edgekit.engine.forms.packed._matrix import BLOCK, packed_matrices
from edgekit.engine.lowered import Lowered, row_shape, same_rows
from edgekit.engine.ops import _linear
from edgekit.engine.options import EngineOptions
from edgekit.tflite.graph import Graph, Op


def candidates(graph: Graph, op: Op, options: EngineOptions) -> tuple[Lowered, ...]:  # noqa: ARG001 (no choice here)
    """Lower one fully connected layer of constant weights."""
    layer = _linear.linear(graph, op)
    if not _linear.is_int8_or_int4(layer):
        return ()
    assert layer.weights.data is not None
    weights = layer.weights.data.reshape(layer.weights.shape[-2:])
    rows, elements = row_shape(layer.output)
    return tuple(
        Lowered(
            kernel=f"fully_connected_{made.packing}_s8",
            fields={**made.fields, "vectors": elements // weights.shape[0]},
            constants=made.constants,
            inputs=(op.inputs[0],),
            output=op.outputs[0],
            scratch_bytes=BLOCK * weights.shape[1],
            rows_read=(same_rows(graph, op.inputs[0], op.outputs[0]),),
            form=made.packing,
            entries=made.weights * rows,
        )
        for made in packed_matrices(layer, weights)
    )
