"""TANH. Twins: firmware/engine/table_s8.h, tanh_tensor_s16.h."""

from __future__ import annotations

from edgekit.engine.lowered import Lowered
from edgekit.engine.ops import _sigmoid, _unary
from edgekit.engine.ops._fixed_point import tanh
from edgekit.tflite.graph import Graph, Op

CHECKS = (*_unary.INT8_OR_INT16, _sigmoid.output_scale_is(1 / 128, 0), _sigmoid.int16_input_is_fine)


def lower(graph: Graph, op: Op) -> Lowered:
    """Lower one hyperbolic tangent."""
    if graph.tensors[op.outputs[0]].dtype == "int16":
        return _sigmoid.lower_int16(graph, op, "tanh_tensor_s16", (0, 1))
    return _sigmoid.lower_int8(graph, op, tanh, 7, 0)
