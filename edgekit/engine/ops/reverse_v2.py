"""REVERSE_V2: axes walked from their ends. Twin: firmware/engine/strided_copy.h."""

from __future__ import annotations

from edgekit.engine.lowered import Lowered
from edgekit.engine.ops import _move
from edgekit.engine.ops._copy import box, copy_or_rename, strides
from edgekit.tflite.graph import Graph, Op


def axes_exist(graph: Graph, op: Op) -> str | None:
    """different axes of the input"""
    shape = graph.tensors[op.inputs[0]].shape
    axes = _axes(graph, op)
    fits = len(set(axes)) == len(axes) and all(0 <= axis < len(shape) for axis in axes)
    return None if fits else f"axes {axes} of {len(shape)} dimensions"


def _axes(graph: Graph, op: Op) -> list[int]:
    rank = len(graph.tensors[op.inputs[0]].shape)
    return [_move.axis_of(number, rank) for number in _move.parameter(graph, op, 1)]


CHECKS = (*_move.CHECKS, axes_exist)


def lower(graph: Graph, op: Op) -> tuple[Lowered, ...]:
    """Lower one reversal to a copy with negative strides."""
    shape, axes = graph.tensors[op.inputs[0]].shape, _axes(graph, op)
    steps = strides(shape)
    start = sum((shape[axis] - 1) * steps[axis] for axis in axes if shape[axis] > 1)
    source = [-step if axis in axes else step for axis, step in enumerate(steps)]
    return copy_or_rename(graph, op.inputs[0], op.outputs[0], box(shape, source, steps, start=start))
