"""MAXIMUM. Twin: firmware/engine/extremum.h."""

from __future__ import annotations

from edgekit.engine.lowered import Lowered
from edgekit.engine.ops import _extremum
from edgekit.tflite.graph import Graph, Op

CHECKS = _extremum.CHECKS


def lower(graph: Graph, op: Op) -> Lowered:
    """Lower one maximum."""
    return _extremum.lower_extremum(graph, op, largest=True)
