"""DEPTHWISE_CONV_2D of one input channel on RV32IM: a convolution, in tiles. Twin: tile_pixels.rv32.h."""

from __future__ import annotations

from edgekit.engine.cores.rv32._tiles import larger_tiles
from edgekit.engine.lowered import Lowered
from edgekit.engine.ops import depthwise_conv_2d
from edgekit.tflite.graph import Graph, Op


def lower(graph: Graph, op: Op, *, wide_weights: bool) -> Lowered | None:  # noqa: ARG001 (int8 loads cost no more)
    """Lower one depthwise convolution that the portable kernel computes in tiles."""
    return larger_tiles(depthwise_conv_2d.lower(graph, op))
