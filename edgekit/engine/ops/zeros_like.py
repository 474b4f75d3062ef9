"""ZEROS_LIKE: integers 0 of the input's shape. Twin: firmware/engine/strided_copy.h."""

from __future__ import annotations

from edgekit.engine.lowered import Lowered, row_shape
from edgekit.engine.ops import _move
from edgekit.engine.ops._copy import NOTHING, Fill, copy
from edgekit.tflite.graph import Graph, Op


def shapes_are_equal(graph: Graph, op: Op) -> str | None:
    """an output of the input's shape"""
    before, after = graph.tensors[op.inputs[0]].shape, graph.tensors[op.outputs[0]].shape
    return None if before == after else f"{list(before)} to {list(after)}"


CHECKS = (_move.elements_move_unchanged, shapes_are_equal)


def lower(graph: Graph, op: Op) -> tuple[Lowered, ...]:
    """Lower it to a fill; the integer 0, whatever real number that is, as TFLite Micro does."""
    target = graph.tensors[op.outputs[0]]
    return copy(graph, op.inputs[0], target.index, NOTHING, Fill(0, 0, row_shape(target)[0]))
