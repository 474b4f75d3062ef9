"""AVERAGE_POOL_2D. Twin: firmware/engine/average_pool_2d_s8.h."""

from __future__ import annotations

from edgekit.engine.lowered import Lowered
from edgekit.engine.ops import _pool
from edgekit.tflite.graph import Graph, Op

CHECKS = _pool.CHECKS


def lower(graph: Graph, op: Op) -> Lowered:
    """Lower one average pooling."""
    return _pool.lower_pool(graph, op, "average_pool_2d")
