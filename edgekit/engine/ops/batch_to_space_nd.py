"""BATCH_TO_SPACE_ND: images of the batch interleaved and cropped. Twin: firmware/engine/strided_copy.h."""

from __future__ import annotations

from edgekit.engine.lowered import Lowered
from edgekit.engine.ops import _move
from edgekit.engine.ops._batches import blocks_fit, pieces
from edgekit.engine.ops._copy import box, copy
from edgekit.tflite.graph import Graph, Op

CHECKS = (*_move.CHECKS, blocks_fit)


def lower(graph: Graph, op: Op) -> tuple[Lowered, ...]:
    """Lower it to a copy for each image of the input."""
    parts: tuple[Lowered, ...] = ()
    for piece in pieces(graph, op):
        moved = box(piece.counts, piece.dealt_steps, piece.wide_steps, start=piece.dealt, into=piece.wide)
        parts += copy(graph, op.inputs[0], op.outputs[0], moved)
    return parts
