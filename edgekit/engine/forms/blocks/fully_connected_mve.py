"""FULLY_CONNECTED for the vector extension. Twin: firmware/engine/fully_connected_tile_blocks_s8.mve.h."""

from __future__ import annotations

import dataclasses

from edgekit.engine.cores.mve import fully_connected
from edgekit.engine.forms.blocks._encode import block_rows, is_full
from edgekit.engine.forms.blocks._matrix_mve import AT_ONCE, MOST_DEPTH, rows_of_groups, stored, stream
from edgekit.engine.forms.blocks.shape import block_shape
from edgekit.engine.lowered import Lowered
from edgekit.engine.ops import _linear
from edgekit.engine.options import EngineOptions
from edgekit.tflite.graph import Graph, Op


def candidates(graph: Graph, op: Op, options: EngineOptions) -> tuple[Lowered, ...]:
    """Lower what the dense kernel takes, where vectors are whole words; see `edgekit.engine.forms.FormModule`."""
    dense = fully_connected.lower(graph, op, wide_weights=options.wide_weights)
    if dense is None:
        return ()
    layer, shape = _linear.linear(graph, op), block_shape(("mve",))
    assert layer.weights.data is not None
    weights = layer.weights.data.reshape(layer.weights.shape[-2:])
    channels, depth = weights.shape
    rows = block_rows(rows_of_groups(weights), shape)
    # Words are gathered from vectors that lie at whole words, which those of a constant may not.
    if depth % shape.depth or depth > MOST_DEPTH or layer.input.data is not None or is_full(rows, depth):
        return ()
    vectors = layer.output.elements // channels
    made = dataclasses.replace(
        dense,
        kernel="fully_connected_tile_blocks_s8.mve",
        fields={
            "tile": {**dense.fields, "matrix": {**dense.fields["matrix"], "weights": None}},
            "blocks": "blocks",
        },
        constants=(stream(rows, channels), *(made for made in dense.constants if made.name != "weights")),
        form="blocks",
        products=stored(rows) * shape.channels * shape.depth * vectors,
        entries=stored(rows) // AT_ONCE * vectors,
    )
    return (made,)
