"""EMBEDDING_LOOKUP: rows of a table, without a change of type. Twin: firmware/engine/gather.h."""

from __future__ import annotations

from edgekit.engine.lowered import Lowered
from edgekit.engine.ops import _gather, _move
from edgekit.tflite.graph import Graph, Op


def positions_fit(graph: Graph, op: Op) -> str | None:
    """int32 positions, inside of the table where they are constant, and shapes that fit"""
    return _gather.fault(_picked(graph, op), graph.tensors[op.outputs[0]])


def _picked(graph: Graph, op: Op) -> _gather.Picked:
    positions, table = (graph.tensors[index] for index in op.inputs[:2])
    return _gather.Picked(table, positions, 0, 0)


CHECKS = (_move.elements_move_unchanged, positions_fit)


def lower(graph: Graph, op: Op) -> Lowered:
    """Lower one look-up to a gather."""
    return _gather.lower(op, _picked(graph, op))
