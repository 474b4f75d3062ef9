"""SPACE_TO_BATCH_ND: padded, then dealt out to the batch. Twin: firmware/engine/strided_copy.h."""

from __future__ import annotations

from edgekit.engine.lowered import Lowered, row_shape
from edgekit.engine.ops import _move
from edgekit.engine.ops._batches import blocks_fit, pieces
from edgekit.engine.ops._copy import NOTHING, Fill, box, copy
from edgekit.tflite.graph import Graph, Op

CHECKS = (*_move.CHECKS, blocks_fit)


def lower(graph: Graph, op: Op) -> tuple[Lowered, ...]:
    """Lower it to a copy for each image of the output, behind a fill where there are paddings."""
    source, target = op.inputs[0], op.outputs[0]
    output = graph.tensors[target]
    parts: tuple[Lowered, ...] = ()
    if any(_move.parameter(graph, op, 2)):
        value = output.quant.zero_point[0] if output.quant else 0
        parts = copy(graph, source, target, NOTHING, Fill(value, 0, row_shape(output)[0]))
    for piece in pieces(graph, op):
        moved = box(piece.counts, piece.wide_steps, piece.dealt_steps, start=piece.wide, into=piece.dealt)
        parts += copy(graph, source, target, moved)
    return parts
