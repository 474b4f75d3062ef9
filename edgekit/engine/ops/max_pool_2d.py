"""MAX_POOL_2D. Twin: firmware/engine/max_pool_2d_s8.h."""

from __future__ import annotations

from edgekit.engine.lowered import Lowered
from edgekit.engine.ops import _pool
from edgekit.tflite.graph import Graph, Op

CHECKS = _pool.CHECKS


def lower(graph: Graph, op: Op) -> Lowered:
    """Lower one max pooling."""
    return _pool.lower_pool(graph, op, "max_pool_2d")
