"""Which rows of which operator are computed when."""

from __future__ import annotations

from collections.abc import Sequence

from edgekit.engine.lowered import Lowered, row_shape
from edgekit.engine.types import STREAMED, Schedule, Step
from edgekit.tflite.graph import Graph


def layer_by_layer(graph: Graph, lowered: Sequence[Lowered]) -> Schedule:
    """Compute each layer as a whole, in graph order: the trivial row range.

    Args:
        graph: the model.
        lowered: the layers, in the order of `graph.ops`.

    Returns:
        A step for each layer that has a kernel; no rings.
    """
    steps = tuple(
        Step(index, 0, item.work_rows or row_shape(graph.tensors[item.output])[0])
        for index, item in enumerate(lowered)
        if item.kernel
    )
    return Schedule(steps, {})


def flash_bytes_read(graph: Graph, schedule: Schedule, lowered: Sequence[Lowered]) -> int:
    """Return the constant bytes that one inference reads, each layer's once a step."""
    return sum(
        sum(constant.values.nbytes for constant in lowered[step.layer].constants)
        + sum(graph.tensors[index].size_bytes for index in constant_inputs(graph, (lowered[step.layer],)))
        for step in schedule.steps
        if step.layer != STREAMED
    )


def states(graph: Graph, lowered: Sequence[Lowered]) -> tuple[int, ...]:
    """Return the variable tensors that kernels update or read, each once, in order."""
    indices = (index for item in lowered for index in (*item.inputs, *item.states) if graph.tensors[index].is_variable)
    return tuple(dict.fromkeys(indices))


def constant_inputs(graph: Graph, lowered: Sequence[Lowered]) -> tuple[int, ...]:
    """Return the constant tensors that kernels take as inputs, each once, in order."""
    indices = (index for item in lowered for index in item.inputs if graph.tensors[index].data is not None)
    return tuple(dict.fromkeys(indices))
