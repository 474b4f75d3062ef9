"""GREATER_EQUAL. Twin: firmware/engine/compare_s8.h."""

from __future__ import annotations

from edgekit.engine.lowered import Lowered
from edgekit.engine.ops import _compare
from edgekit.tflite.graph import Graph, Op

CHECKS = _compare.ORDER_CHECKS


def lower(graph: Graph, op: Op) -> Lowered:
    """Lower one comparison."""
    return _compare.lower_comparison(graph, op, less=False, equal=True, greater=True)
