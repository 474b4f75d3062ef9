"""GATHER: slices along an axis. Twin: firmware/engine/gather.h."""

from __future__ import annotations

from edgekit.engine.lowered import Lowered
from edgekit.engine.ops import _gather, _move
from edgekit.tflite.graph import Graph, Op


def positions_fit(graph: Graph, op: Op) -> str | None:
    """int32 positions, inside of the axis where they are constant, and shapes that fit"""
    return _gather.fault(_picked(graph, op), graph.tensors[op.outputs[0]])


def _picked(graph: Graph, op: Op) -> _gather.Picked:
    source, positions = (graph.tensors[index] for index in op.inputs[:2])
    axis = _move.axis_of(int(op.options.get("axis", 0)), len(source.shape))
    batch_dims = _move.axis_of(int(op.options.get("batchDims", 0)), len(positions.shape))
    return _gather.Picked(source, positions, axis, batch_dims)


CHECKS = (_move.elements_move_unchanged, positions_fit)


def lower(graph: Graph, op: Op) -> Lowered:
    """Lower one gather."""
    return _gather.lower(op, _picked(graph, op))
