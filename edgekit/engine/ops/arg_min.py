"""ARG_MIN along one axis. Twin: firmware/engine/arg_extreme_s8.h."""

from __future__ import annotations

from edgekit.engine.lowered import Lowered
from edgekit.engine.ops import _arg
from edgekit.tflite.graph import Graph, Op

CHECKS = _arg.CHECKS


def lower(graph: Graph, op: Op) -> Lowered:
    """Lower one search for the first of the smallest elements."""
    return _arg.lower(graph, op, sign=-1)
