"""CONV_2D for the vector extension. Twin: firmware/engine/conv_2d_tile_blocks_s8.mve.h."""

from __future__ import annotations

import dataclasses
import math

from edgekit.engine.cores.mve import conv_2d
from edgekit.engine.forms.blocks._encode import block_rows, is_full
from edgekit.engine.forms.blocks._matrix_mve import AT_ONCE, MOST_DEPTH, rows_of_groups, stored, stream
from edgekit.engine.forms.blocks.shape import block_shape
from edgekit.engine.lowered import Lowered
from edgekit.engine.ops import _linear
from edgekit.engine.options import EngineOptions
from edgekit.tflite.graph import Graph, Op


def candidates(graph: Graph, op: Op, options: EngineOptions) -> tuple[Lowered, ...]:
    """Lower what the dense kernel takes two pixels at a time; see `edgekit.engine.forms.FormModule`."""
    dense = conv_2d.lower(graph, op, wide_weights=options.wide_weights)
    if dense is None or dense.kernel != "conv_2d_tile_s8.mve":
        return ()
    layer, shape = _linear.linear(graph, op), block_shape(("mve",))
    assert layer.weights.data is not None
    weights = layer.weights.data.reshape(layer.channels, -1)
    depth = weights.shape[1]
    rows = block_rows(rows_of_groups(weights), shape)
    if depth > MOST_DEPTH or is_full(rows, depth):
        return ()
    # Words are gathered from pixels that lie at whole words, which those of a constant may not; others are copied.
    pointwise = int(dense.fields["pointwise"] and depth % shape.depth == 0 and layer.input.data is None)
    copies_rows = dense.fields["copies_rows"] or dense.fields["pointwise"] - pointwise
    tile = {
        **dense.fields,
        "matrix": {**dense.fields["matrix"], "weights": None},
        "pointwise": pointwise,
        "copies_rows": copies_rows,
    }
    pixels = math.prod(layer.output.shape[1:3])
    made = dataclasses.replace(
        dense,
        kernel="conv_2d_tile_blocks_s8.mve",
        fields={"tile": tile, "blocks": "blocks"},
        constants=(stream(rows, layer.channels), *(made for made in dense.constants if made.name != "weights")),
        scratch_bytes=0 if pointwise else 2 * shape.depth * math.ceil(depth / shape.depth),
        form="blocks",
        products=stored(rows) * shape.channels * shape.depth * pixels,
        # Four blocks at a time, for two pixels.
        entries=stored(rows) // AT_ONCE * math.ceil(pixels / 2),
    )
    return (made,)
