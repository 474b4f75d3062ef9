"""CONV_2D on Armv7E-M. Twins: firmware/engine/conv_2d_blocks_*_*_s8.dsp.h, conv_2d_chosen_*_*_s8.dsp.h."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Sequence

from edgekit.engine.cores.dsp import conv_2d
from edgekit.engine.cores.dsp._scaling import scaling
from edgekit.engine.cores.dsp._tile import framed, padded
from edgekit.engine.forms.blocks._chosen_dsp import SPREAD_BYTES, chosen_words, pair_rows
from edgekit.engine.forms.blocks._encode import BlockRow, block_rows, is_full, kept
from edgekit.engine.forms.blocks._tile_dsp import block_words
from edgekit.engine.forms.blocks.shape import block_shape
from edgekit.engine.lowered import Constant, Lowered
from edgekit.engine.ops import _linear
from edgekit.engine.options import EngineOptions
from edgekit.tflite.graph import Graph, Op


def candidates(graph: Graph, op: Op, options: EngineOptions) -> tuple[Lowered, ...]:
    """Lower what the dense kernel takes, with zeros: "blocks" of 4 x 4, or pairs that four channels share, as "2:4".

    See `edgekit.engine.forms.FormModule`.
    """
    wide = options.wide_weights
    layer = _linear.linear(graph, op)
    weights = conv_2d.matrix(layer) if layer.kernel_suffix == "s8" else None
    scale = None if weights is None else scaling(layer, weights)
    if weights is None or scale is None:
        return ()
    dense = conv_2d.lower_pairs(layer, weights, scale, wide_weights=wide, plain_rows=True)
    depth, pixels = weights.shape[1], math.prod(layer.output.shape[1:3])
    blocks, pairs = block_rows(weights, block_shape(("dsp",))), pair_rows(weights)
    found = []
    if not is_full(blocks, depth):
        stream = framed([block_words(row, wide=wide) for row in blocks], scale, wide=wide)
        found.append(_stored(dense, "blocks", stream, blocks, pixels))
    if not is_full(pairs, padded(depth)):
        stream = framed([chosen_words(row, wide=wide) for row in pairs], scale, wide=wide)
        made = _stored(dense, "chosen", stream, pairs, pixels)
        found.append(dataclasses.replace(made, form="2:4", scratch_bytes=SPREAD_BYTES * padded(depth)))
    return tuple(found)


def _stored(dense: Lowered, name: str, stream: Constant, rows: Sequence[BlockRow], pixels: int) -> Lowered:
    return dataclasses.replace(
        dense,
        kernel=dense.kernel.replace("conv_2d", f"conv_2d_{name}"),
        constants=(stream,),
        form=name,
        products=sum(row.values.size for row in rows) * pixels,
        # Each block for two pixels.
        entries=kept(rows) * math.ceil(pixels / 2),
    )
