"""CONV_2D on Armv7E-M. Twins: firmware/engine/conv_2d_blocks_*_*_s8.dsp.h."""

from __future__ import annotations

import dataclasses
import math

from edgekit.engine.cores.dsp import conv_2d
from edgekit.engine.cores.dsp._scaling import scaling
from edgekit.engine.cores.dsp._tile import framed
from edgekit.engine.forms.blocks._encode import block_rows, is_full, kept
from edgekit.engine.forms.blocks._tile_dsp import block_words
from edgekit.engine.forms.blocks.shape import block_shape
from edgekit.engine.lowered import Lowered
from edgekit.engine.ops import _linear
from edgekit.engine.options import EngineOptions
from edgekit.tflite.graph import Graph, Op


def candidates(graph: Graph, op: Op, options: EngineOptions) -> tuple[Lowered, ...]:
    """Lower what the dense kernel takes, with some blocks of zeros; see `edgekit.engine.forms.FormModule`."""
    dense = conv_2d.lower(graph, op, wide_weights=options.wide_weights)
    if dense is None:
        return ()
    layer = _linear.linear(graph, op)
    assert layer.weights.data is not None
    weights, shape = layer.weights.data.reshape(layer.channels, -1), block_shape(("dsp",))
    rows, scale = block_rows(weights, shape), scaling(layer, weights)
    assert scale is not None
    if is_full(rows, weights.shape[1]):
        return ()
    pixels = math.prod(layer.output.shape[1:3])
    words = [block_words(row, wide=options.wide_weights) for row in rows]
    made = dataclasses.replace(
        dense,
        kernel=dense.kernel.replace("conv_2d", "conv_2d_blocks"),
        constants=(framed(words, scale, wide=options.wide_weights),),
        form="blocks",
        products=kept(rows) * shape.channels * shape.depth * pixels,
        # Each for two pixels.
        entries=kept(rows) * math.ceil(pixels / 2),
    )
    return (made,)
