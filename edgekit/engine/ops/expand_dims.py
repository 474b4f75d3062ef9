"""EXPAND_DIMS: the same elements with one size of 1 more, a second name for the input."""

from __future__ import annotations

from edgekit.engine.lowered import Lowered
from edgekit.engine.ops import reshape
from edgekit.engine.ops._copy import rename
from edgekit.tflite.graph import Graph, Op

CHECKS = reshape.CHECKS


def lower(graph: Graph, op: Op) -> tuple[Lowered, ...]:
    """Lower it like a reshape."""
    return rename(graph, op, op.inputs[0])
