"""DEPTH_TO_SPACE: channels become blocks of pixels. Twin: firmware/engine/strided_copy.h."""

from __future__ import annotations

from edgekit.engine.lowered import Lowered
from edgekit.engine.ops import _move
from edgekit.engine.ops._blocks import block_fits
from edgekit.engine.ops._copy import Box, Loop, copy_or_rename, strides
from edgekit.tflite.graph import Graph, Op

CHECKS = (*_move.CHECKS, block_fits)


def lower(graph: Graph, op: Op) -> tuple[Lowered, ...]:
    """Lower it to a copy for each row of a block, which is contiguous on both sides."""
    source, target = op.inputs[0], op.outputs[0]
    batch, rows, columns, _ = graph.tensors[source].shape
    block, channels = int(op.options["blockSize"]), graph.tensors[target].shape[3]
    image, row, pixel, _ = strides(graph.tensors[source].shape)
    to_image, to_row, to_pixel, _ = strides(graph.tensors[target].shape)
    loops = (
        Loop(batch, image, to_image),
        Loop(rows, row, block * to_row),
        Loop(block, block * channels, to_row),
        Loop(columns, pixel, block * to_pixel),
        Loop(block * channels, 1, 1),
    )
    return copy_or_rename(graph, source, target, Box(loops))
