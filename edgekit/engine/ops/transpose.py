"""TRANSPOSE. Twin: firmware/engine/strided_copy.h."""

from __future__ import annotations

from edgekit.engine.lowered import Lowered
from edgekit.engine.ops import _move
from edgekit.engine.ops._copy import box, copy_or_rename, strides
from edgekit.tflite.graph import Graph, Op


def permutation_fits(graph: Graph, op: Op) -> str | None:
    """a permutation of the input's dimensions that gives the output's shape"""
    before, order = graph.tensors[op.inputs[0]].shape, _move.parameter(graph, op, 1)
    if sorted(order) != list(range(len(before))):
        return f"permutation {list(order)} of {len(before)} dimensions"
    after = graph.tensors[op.outputs[0]].shape
    return None if tuple(before[axis] for axis in order) == after else f"{list(before)} to {list(after)}"


CHECKS = (*_move.CHECKS, permutation_fits)


def lower(graph: Graph, op: Op) -> tuple[Lowered, ...]:
    """Lower one transposition; one that moves only sizes of 1 is a second name for its input."""
    before, after = graph.tensors[op.inputs[0]].shape, graph.tensors[op.outputs[0]].shape
    steps = strides(before)
    source = [steps[axis] for axis in _move.parameter(graph, op, 1)]
    return copy_or_rename(graph, op.inputs[0], op.outputs[0], box(after, source, strides(after)))
