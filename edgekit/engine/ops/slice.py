"""SLICE: a box of the input. Twin: firmware/engine/strided_copy.h."""

from __future__ import annotations

from edgekit.engine.lowered import Lowered
from edgekit.engine.ops import _move
from edgekit.engine.ops._copy import box, copy_or_rename, strides
from edgekit.tflite.graph import Graph, Op


def lies_inside(graph: Graph, op: Op) -> str | None:
    """a box inside of the input, as large as the output"""
    before, after = graph.tensors[op.inputs[0]].shape, graph.tensors[op.outputs[0]].shape
    begin, size = _move.parameter(graph, op, 1), _move.parameter(graph, op, 2)
    came = f"begin {list(begin)}, size {list(size)} of {list(before)} to {list(after)}"
    if not len(begin) == len(size) == len(before) == len(after):
        return came
    rest = [whole - first for whole, first in zip(before, begin, strict=True)]
    # A size of -1 is all that is left.
    taken = tuple(left if wanted == -1 else wanted for left, wanted in zip(rest, size, strict=True))
    inside = min(begin, default=0) >= 0 and all(count <= left for count, left in zip(taken, rest, strict=True))
    return None if inside and taken == after else came


CHECKS = (*_move.CHECKS, lies_inside)


def lower(graph: Graph, op: Op) -> tuple[Lowered, ...]:
    """Lower one slice; one of everything is a second name for the input."""
    after, steps = graph.tensors[op.outputs[0]].shape, strides(graph.tensors[op.inputs[0]].shape)
    start = sum(first * step for first, step in zip(_move.parameter(graph, op, 1), steps, strict=True))
    return copy_or_rename(graph, op.inputs[0], op.outputs[0], box(after, steps, strides(after), start=start))
