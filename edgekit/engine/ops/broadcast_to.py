"""BROADCAST_TO: sizes of 1 repeated. Twin: firmware/engine/strided_copy.h."""

from __future__ import annotations

from edgekit.engine.lowered import Lowered
from edgekit.engine.ops import _move
from edgekit.engine.ops._copy import box, copy_or_rename, strides
from edgekit.tflite.graph import Graph, Op


def shapes_fit(graph: Graph, op: Op) -> str | None:
    """an output of as many dimensions or more, in which sizes differ only where the input's is 1"""
    before, after = graph.tensors[op.inputs[0]].shape, graph.tensors[op.outputs[0]].shape
    behind = after[len(after) - len(before) :]
    fits = len(before) <= len(after) and all(small in (1, size) for small, size in zip(before, behind, strict=True))
    return None if fits else f"{list(before)} to {list(after)}"


CHECKS = (_move.elements_move_unchanged, shapes_fit)


def lower(graph: Graph, op: Op) -> tuple[Lowered, ...]:
    """Lower one broadcast to a copy that does not move along the sizes of 1."""
    before, after = graph.tensors[op.inputs[0]].shape, graph.tensors[op.outputs[0]].shape
    steps = [0 if size == 1 else step for size, step in zip(before, strides(before), strict=True)]
    source = [0] * (len(after) - len(before)) + steps
    return copy_or_rename(graph, op.inputs[0], op.outputs[0], box(after, source, strides(after)))
