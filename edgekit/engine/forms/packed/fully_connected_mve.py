"""FULLY_CONNECTED of packed weights for the vector extension. Twins:
firmware/engine/fully_connected_tile_packed_s8.mve.h, fully_connected_tile_<packing>_s8.mve.h."""

from __future__ import annotations

from edgekit.engine.forms.packed._matrix import BLOCK
from edgekit.engine.forms.packed._matrix_mve import BEHIND, packed_matrices, suits
from edgekit.engine.lowered import Lowered, row_shape
from edgekit.engine.ops import _linear
from edgekit.engine.options import EngineOptions
from edgekit.tflite.graph import Graph, Op


def candidates(graph: Graph, op: Op, options: EngineOptions) -> tuple[Lowered, ...]:  # noqa: ARG001 (no choice here)
    """Lower one fully connected layer of constant weights, none of whose accumulators is scaled up."""
    layer = _linear.linear(graph, op)
    if not suits(layer):
        return ()
    assert layer.weights.data is not None
    weights = layer.weights.data.reshape(layer.weights.shape[-2:])
    return tuple(
        Lowered(
            kernel=f"fully_connected_tile_{made.packing}_s8.mve",
            fields={**made.fields, "vectors": row_shape(layer.output)[1] // weights.shape[0]},
            constants=made.constants,
            inputs=(op.inputs[0],),
            output=op.outputs[0],
            scratch_bytes=BLOCK * weights.shape[1] + BEHIND,
            form=made.packing,
            entries=made.weights,
        )
        for made in packed_matrices(layer, weights)
    )
