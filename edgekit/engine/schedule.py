"""Which rows of which operator are computed when."""

from __future__ import annotations

from collections.abc import Sequence

from edgekit.engine.lowered import Lowered, row_shape
from edgekit.engine.types import Schedule, Step
from edgekit.tflite.graph import Graph


def layer_by_layer(graph: Graph, lowered: Sequence[Lowered]) -> Schedule:
    """Compute each operator as a whole, in graph order: the trivial row range.

    Args:
        graph: the model.
        lowered: one for each operator of `graph.ops`.

    Returns:
        A step for each operator that has a kernel; no rings.
    """
    steps = tuple(
        Step(index, 0, row_shape(graph.tensors[item.output])[0]) for index, item in enumerate(lowered) if item.kernel
    )
    return Schedule(steps, {})


def flash_bytes_read(schedule: Schedule, lowered: Sequence[Lowered]) -> int:
    """Return the constant bytes that one inference reads, each operator's once a step."""
    return sum(constant.values.nbytes for step in schedule.steps for constant in lowered[step.op].constants)
