"""CONV_2D on RV32IM: the portable kernel, whose tiles are larger. Twin: firmware/engine/tile_pixels.rv32.h."""

from __future__ import annotations

from edgekit.engine.cores.rv32 import conv_2d
from edgekit.engine.forms.blocks._tiles import in_tiles
from edgekit.engine.lowered import Lowered
from edgekit.engine.options import EngineOptions
from edgekit.tflite.graph import Graph, Op


def candidates(graph: Graph, op: Op, options: EngineOptions) -> tuple[Lowered, ...]:
    """Return the convolution without the blocks of four channels that are zero."""
    return in_tiles(graph, op, conv_2d.lower(graph, op, wide_weights=options.wide_weights))
