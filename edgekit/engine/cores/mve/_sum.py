"""ADD and SUB for the vector extension. Twin: firmware/engine/weighted_sum_whole_s8.mve.h."""

from __future__ import annotations

import dataclasses

from edgekit.engine.lowered import Lowered, row_shape
from edgekit.engine.ops._sum import lower_sum
from edgekit.tflite.graph import Graph, Op

_WEIGHTS = ("left_weight", "right_weight", "offset", "shift", "activation_min", "activation_max")


def lower_whole_sum(graph: Graph, op: Op, sign: int) -> Lowered | None:
    """Lower a weighted sum of two tensors that have the shape of the output."""
    made = lower_sum(graph, op, sign)
    output = graph.tensors[made.output]
    if made.kernel != "weighted_sum_s8" or any(graph.tensors[index].shape != output.shape for index in made.inputs):
        return None
    weights = {name: made.fields[name] for name in _WEIGHTS}
    return dataclasses.replace(
        made, kernel="weighted_sum_whole_s8.mve", fields={"row_elements": row_shape(output)[1], **weights}
    )
