"""MEAN over any axes. Twins: firmware/engine/reduce_sum.h, reduce_sum_rows_s8.h."""

from __future__ import annotations

from edgekit.engine.lowered import Lowered
from edgekit.engine.ops import _reduce_sum
from edgekit.tflite.graph import Graph, Op

CHECKS = _reduce_sum.CHECKS


def lower(graph: Graph, op: Op) -> Lowered:
    """Lower one mean."""
    return _reduce_sum.lower(graph, op, is_mean=True)


def lower_by_rows(graph: Graph, op: Op) -> Lowered | None:
    """Lower one mean over all positions to one that adds up the rows as they come."""
    return _reduce_sum.lower_by_rows(graph, op, is_mean=True)
