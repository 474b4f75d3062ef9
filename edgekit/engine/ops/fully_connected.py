"""FULLY_CONNECTED. Twins: firmware/engine/fully_connected_s8.h, fully_connected_vectors_s8.h and, for int4 weights
and int16 activations, fully_connected_s4.h and fully_connected_s16.h."""

from __future__ import annotations

from edgekit.engine.lowered import Lowered, has_fused_activation, row_shape
from edgekit.engine.ops import _linear
from edgekit.engine.ops._matrix import matrix
from edgekit.tflite.graph import Graph, Op

_KERNELS = {"s8": "fully_connected_vectors_s8", "s4": "fully_connected_s4", "s16": "fully_connected_s16"}


def a_vector_for_each_vector(graph: Graph, op: Op) -> str | None:
    """as many vectors of the weights' units out as there come vectors of the weights' depth in"""
    before, after = graph.tensors[op.inputs[0]], graph.tensors[op.outputs[0]]
    units, depth = graph.tensors[op.inputs[1]].shape[-2:]
    vectors, rest = divmod(before.elements, depth)
    matches = rest == 0 and after.shape[-1:] == (units,) and after.elements == vectors * units
    return None if matches else f"shapes {list(before.shape)} and {list(after.shape)} with {units} units of {depth}"


CHECKS = (*_linear.CHECKS, has_fused_activation, a_vector_for_each_vector)


def lower(graph: Graph, op: Op) -> Lowered:
    """Lower one fully connected layer; the input may have any rank, its vectors lie one behind the other."""
    layer = _linear.linear(graph, op)
    assert layer.weights.data is not None
    made = matrix(layer, layer.weights.data.reshape(layer.weights.shape[-2:]))
    vectors = row_shape(layer.output)[1] // layer.output.shape[-1]
    is_plain = layer.kernel_suffix == "s8" and vectors == 1
    return Lowered(
        kernel="fully_connected_s8" if is_plain else _KERNELS[layer.kernel_suffix],
        fields={"matrix": made.fields, **({} if is_plain else {"vectors": vectors})},
        constants=made.constants,
        inputs=(op.inputs[0],),
        output=op.outputs[0],
    )
