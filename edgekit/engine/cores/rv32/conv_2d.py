"""CONV_2D on RV32IM: the portable kernel, whose tiles are larger. Twin: firmware/engine/tile_pixels.rv32.h."""

from __future__ import annotations

import dataclasses

from edgekit.engine.lowered import Lowered
from edgekit.engine.ops import conv_2d
from edgekit.tflite.graph import Graph, Op

_TILE_PIXELS = 4  # EK_TILE_PIXELS of tile_pixels.rv32.h


def lower(graph: Graph, op: Op, *, wide_weights: bool) -> Lowered | None:  # noqa: ARG001 (int8 loads cost no more)
    """Lower one convolution whose accumulators `ek_scale` of requantize.h scales."""
    portable = conv_2d.lower(graph, op)
    if portable.kernel != "conv_2d_s8":
        return None
    return dataclasses.replace(portable, scratch_bytes=_TILE_PIXELS * portable.fields["matrix"]["depth"])
