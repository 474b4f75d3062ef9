"""SPACE_TO_DEPTH: blocks of pixels become channels. Twin: firmware/engine/strided_copy.h."""

from __future__ import annotations

from edgekit.engine.lowered import Lowered
from edgekit.engine.ops import _move
from edgekit.engine.ops._blocks import block_fits
from edgekit.engine.ops._copy import Box, Loop, copy_or_rename, strides
from edgekit.tflite.graph import Graph, Op

CHECKS = (*_move.CHECKS, block_fits)


def lower(graph: Graph, op: Op) -> tuple[Lowered, ...]:
    """Lower it to one copy; a row of a block is contiguous on both sides."""
    source, target = op.inputs[0], op.outputs[0]
    batch, rows, columns, _ = graph.tensors[target].shape
    block, channels = int(op.options["blockSize"]), graph.tensors[source].shape[3]
    image, row, pixel, _ = strides(graph.tensors[source].shape)
    to_image, to_row, to_pixel, _ = strides(graph.tensors[target].shape)
    loops = (
        Loop(batch, image, to_image),
        Loop(rows, block * row, to_row),
        Loop(columns, block * pixel, to_pixel),
        Loop(block, row, block * channels),
        Loop(block * channels, 1, 1),
    )
    return copy_or_rename(graph, source, target, Box(loops))
