"""SUB for the vector extension. Twin: firmware/engine/weighted_sum_whole_s8.mve.h."""

from __future__ import annotations

from edgekit.engine.cores.mve._sum import lower_whole_sum
from edgekit.engine.lowered import Lowered
from edgekit.tflite.graph import Graph, Op


def lower(graph: Graph, op: Op, *, wide_weights: bool) -> Lowered | None:  # noqa: ARG001
    """Lower one subtraction."""
    return lower_whole_sum(graph, op, -1)
