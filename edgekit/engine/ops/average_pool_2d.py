"""AVERAGE_POOL_2D. Twins: firmware/engine/average_pool_2d_s8.h, average_pool_rows_s8.h."""

from __future__ import annotations

from edgekit.engine.lowered import Lowered, activation_range
from edgekit.engine.ops import _pool, _row_sums
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


def lower_by_rows(graph: Graph, op: Op) -> Lowered | None:
    """Lower a pooling whose window is the whole image to one that adds up the rows as they come."""
    pool = lower(graph, op)
    source, output = graph.tensors[op.inputs[0]], graph.tensors[op.outputs[0]]
    reaches = all(
        int(op.options[size]) - pool.fields[before] >= source.shape[axis]
        for axis, size, before in ((1, "filterHeight", "pad_top"), (2, "filterWidth", "pad_left"))
    )
    if not reaches or output.shape[1:3] != (1, 1):
        return None
    low, high = activation_range(op, output)
    return _row_sums.lower("average_pool_rows_s8", source, output, {"activation_min": low, "activation_max": high})
