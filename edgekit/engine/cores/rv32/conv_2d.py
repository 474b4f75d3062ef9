"""CONV_2D on RV32IM: the portable kernel, whose tiles are larger. Twin: firmware/engine/tile_pixels.rv32.h."""

from __future__ import annotations

from edgekit.engine.cores.rv32._tiles import larger_tiles
from edgekit.engine.lowered import Lowered
from edgekit.engine.ops import conv_2d
from edgekit.tflite.graph import Graph, Op


def lower(graph: Graph, op: Op, *, wide_weights: bool) -> Lowered | None:  # noqa: ARG001 (int8 loads cost no more)
    """Lower one convolution that the portable kernel computes in tiles."""
    return larger_tiles(conv_2d.lower(graph, op))
