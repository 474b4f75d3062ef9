"""LOGICAL_OR. Twin: firmware/engine/logical_s8.h."""

from __future__ import annotations

from edgekit.engine.lowered import Lowered
from edgekit.engine.ops import _logical
from edgekit.tflite.graph import Graph, Op

CHECKS = _logical.PAIR_CHECKS


def lower(graph: Graph, op: Op) -> Lowered:
    """Lower one operator of truth values."""
    return _logical.lower_logical(graph, op, 0b1110)
