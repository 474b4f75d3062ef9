"""CONV_2D. Twin: firmware/engine/conv_2d_blocks_s8.h."""

from __future__ import annotations

from edgekit.engine.forms.blocks._tiles import in_tiles
from edgekit.engine.lowered import Lowered
from edgekit.engine.ops import conv_2d
from edgekit.engine.options import EngineOptions
from edgekit.tflite.graph import Graph, Op


def candidates(graph: Graph, op: Op, options: EngineOptions) -> tuple[Lowered, ...]:  # noqa: ARG001
    """Return the convolution without the blocks of four channels that are zero."""
    return in_tiles(graph, op, conv_2d.lower(graph, op))
