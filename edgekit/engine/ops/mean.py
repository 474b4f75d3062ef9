"""MEAN over any axes. Twin: firmware/engine/reduce_sum.h."""

from __future__ import annotations

from edgekit.engine.lowered import Lowered
from edgekit.engine.ops import _reduce_sum
from edgekit.tflite.graph import Graph, Op

CHECKS = _reduce_sum.CHECKS


def lower(graph: Graph, op: Op) -> Lowered:
    """Lower one mean."""
    return _reduce_sum.lower(graph, op, is_mean=True)
