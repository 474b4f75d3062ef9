"""FILL: one value everywhere. Twin: firmware/engine/strided_copy.h."""

from __future__ import annotations

from edgekit.engine.lowered import Lowered
from edgekit.engine.ops import _move
from edgekit.engine.ops._copy import box, copy_or_rename, strides
from edgekit.tflite.graph import Graph, Op


def value_is_one(graph: Graph, op: Op) -> str | None:
    """one value"""
    count = graph.tensors[op.inputs[1]].elements
    return None if count == 1 else f"{count} values"


CHECKS = (_move.elements_move_unchanged, value_is_one)


def lower(graph: Graph, op: Op) -> tuple[Lowered, ...]:
    """Lower one fill to a copy that stays at its one element."""
    shape = graph.tensors[op.outputs[0]].shape
    return copy_or_rename(graph, op.inputs[1], op.outputs[0], box(shape, [0] * len(shape), strides(shape)))
