"""FULLY_CONNECTED of packed weights. Twins: firmware/engine/fully_connected_packed_s8.h,
fully_connected_<packing>_s8.h."""

from __future__ import annotations

from edgekit.engine.forms.packed._matrix import BLOCK, packed_matrices
from edgekit.engine.lowered import Lowered, RowsRead, row_shape, same_rows
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
    return tuple(
        Lowered(
            kernel=f"fully_connected_{made.packing}_s8",
            fields={**made.fields, "vectors": row_shape(layer.output)[1] // weights.shape[0]},
            constants=made.constants,
            inputs=(op.inputs[0],),
            output=op.outputs[0],
            scratch_bytes=BLOCK * weights.shape[1],
            rows_read=whole_unless_one_row(graph, op),
            form=made.packing,
            entries=made.weights,
        )
        for made in packed_matrices(layer, weights)
    )


def whole_unless_one_row(graph: Graph, op: Op) -> tuple[RowsRead | None, ...]:
    """Return how the input is read where all rows are computed together, a block of channels after the other."""
    rows = row_shape(graph.tensors[op.outputs[0]])[0]
    return (same_rows(graph, op.inputs[0], op.outputs[0]) if rows == 1 else None,)
