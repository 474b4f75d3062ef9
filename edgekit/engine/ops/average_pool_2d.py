"""AVERAGE_POOL_2D. Twin: firmware/engine/average_pool_2d_s8.h."""

from __future__ import annotations

from edgekit.engine.lowered import Lowered
from edgekit.engine.ops import _pool
from edgekit.tflite.graph import Graph, Op


def sums_fit(graph: Graph, op: Op) -> str | None:
    """windows of at most 65,535 pixels with int16, whose sums int32 holds"""
    before = graph.tensors[op.inputs[0]]
    pixels = min(int(op.options["filterHeight"]), before.shape[1]) * min(
        int(op.options["filterWidth"]), before.shape[2]
    )
    return f"{pixels} pixels" if before.dtype == "int16" and pixels >= 1 << 16 else None


CHECKS = (*_pool.CHECKS, sums_fit)


def lower(graph: Graph, op: Op) -> Lowered:
    """Lower one average pooling."""
    return _pool.lower_pool(graph, op, "average_pool_2d")
