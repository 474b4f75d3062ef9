"""REDUCE_MIN over any axes. Twin: firmware/engine/reduce_extreme.h."""

from __future__ import annotations

from edgekit.engine.lowered import Lowered
from edgekit.engine.ops import _reduce_extreme
from edgekit.tflite.graph import Graph, Op

CHECKS = _reduce_extreme.CHECKS


def lower(graph: Graph, op: Op) -> Lowered:
    """Lower one reduction to the smallest element."""
    return _reduce_extreme.lower(graph, op, sign=-1)
