"""FULLY_CONNECTED. Twin: firmware/engine/fully_connected_blocks_s8.h."""

from __future__ import annotations

from dataclasses import replace

from edgekit.engine.forms.blocks._stream import with_blocks
from edgekit.engine.lowered import Lowered
from edgekit.engine.ops import fully_connected
from edgekit.engine.options import EngineOptions
from edgekit.tflite.graph import Graph, Op

_DENSE = ("fully_connected_s8", "fully_connected_vectors_s8")


def candidates(graph: Graph, op: Op, options: EngineOptions) -> tuple[Lowered, ...]:  # noqa: ARG001
    """Return the layer without the blocks of four outputs that are zero."""
    dense = fully_connected.lower(graph, op)
    if dense.kernel not in _DENSE:
        return ()
    fields = {"vectors": 1, **dense.fields}
    dense = replace(dense, fields={"matrix": fields["matrix"], "vectors": fields["vectors"]})
    vectors = graph.tensors[op.outputs[0]].elements // fields["matrix"]["output_channels"]
    return with_blocks(graph, op, dense, "fully_connected_blocks_s8", tile_pixels=1, vectors=vectors)
