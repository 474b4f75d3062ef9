"""LOGISTIC. Twins: firmware/engine/table_s8.h, logistic_tensor_s16.h."""

from __future__ import annotations

from edgekit.engine.lowered import Lowered
from edgekit.engine.ops import _sigmoid, _unary
from edgekit.engine.ops._fixed_point import logistic
from edgekit.tflite.graph import Graph, Op

CHECKS = (*_unary.INT8_OR_INT16, _sigmoid.output_scale_is(1 / 256, -128), _sigmoid.int16_input_is_fine)


def lower(graph: Graph, op: Op) -> Lowered:
    """Lower one sigmoid."""
    if graph.tensors[op.outputs[0]].dtype == "int16":
        return _sigmoid.lower_int16(graph, op, "logistic_tensor_s16", (0,))
    return _sigmoid.lower_int8(graph, op, logistic, 8, -128)
