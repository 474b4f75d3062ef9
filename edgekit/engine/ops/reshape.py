"""RESHAPE: the same elements under another shape, so it needs no step: both names share one place."""

from __future__ import annotations

from edgekit.engine.lowered import Lowered
from edgekit.engine.ops._copy import rename
from edgekit.engine.ops._move import elements_move_unchanged
from edgekit.tflite.graph import Graph, Op


def elements_are_kept(graph: Graph, op: Op) -> str | None:
    """as many elements out as in"""
    before, after = graph.tensors[op.inputs[0]], graph.tensors[op.outputs[0]]
    return None if before.elements == after.elements else f"{list(before.shape)} to {list(after.shape)}"


CHECKS = (elements_move_unchanged, elements_are_kept)


def lower(graph: Graph, op: Op) -> tuple[Lowered, ...]:
    """Lower one reshape to a second name for its input, or to a copy of a constant."""
    return rename(graph, op, op.inputs[0])
