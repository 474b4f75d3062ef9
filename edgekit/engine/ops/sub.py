"""SUB. Twin: firmware/engine/sum.h."""

from __future__ import annotations

from edgekit.engine.lowered import Lowered
from edgekit.engine.ops import _sum
from edgekit.tflite.graph import Graph, Op

CHECKS = _sum.CHECKS


def lower(graph: Graph, op: Op) -> Lowered:
    """Lower one subtraction."""
    return _sum.lower_sum(graph, op, -1)
