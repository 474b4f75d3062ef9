"""What both operators that resize images share."""

from __future__ import annotations

from edgekit.engine.ops import _move
from edgekit.tflite.graph import Graph, Op

_LARGEST = 1 << 15


def size_is_the_output(graph: Graph, op: Op) -> str | None:
    """an image of batch 1, and a constant size (height, width) up to 32768 each that is the output's"""
    before, after = graph.tensors[op.inputs[0]].shape, graph.tensors[op.outputs[0]].shape
    size = _move.parameter(graph, op, 1)
    fits = len(before) == len(after) == 4 and before[0] == after[0] == 1 and before[3] == after[3]
    if fits and size == after[1:3] and max(*before[1:3], *size) <= _LARGEST:
        return None
    return f"{list(before)} to {list(after)} for a size {list(size)}"


def corners_or_centers(graph: Graph, op: Op) -> str | None:  # noqa: ARG001
    """not both alignCorners and halfPixelCenters"""
    both = op.options.get("alignCorners") and op.options.get("halfPixelCenters")
    return "both" if both else None
