"""SPLIT: equal parts along an axis. Twin: firmware/engine/strided_copy.h."""

from __future__ import annotations

from edgekit.engine.lowered import Lowered
from edgekit.engine.ops import _split
from edgekit.tflite.graph import Graph, Op

CHECKS = _split.CHECKS


def lower(graph: Graph, op: Op) -> tuple[Lowered, ...]:
    """Lower one split."""
    return _split.lower(graph, op)
