"""FULLY_CONNECTED. Twin: firmware/engine/fully_connected_s8.h."""

from __future__ import annotations

from edgekit.engine.lowered import (
    Lowered,
    activations_are_int8,
    has_fused_activation,
    row_shape,
    weights_are_constant_int8,
)
from edgekit.engine.ops._matrix import matrix
from edgekit.tflite.graph import Graph, Op


def one_vector_a_row(graph: Graph, op: Op) -> str | None:
    """one vector of activations for each output row"""
    weights, output = graph.tensors[op.inputs[1]], graph.tensors[op.outputs[0]]
    vectors = graph.tensors[op.inputs[0]].elements // weights.shape[1]
    return None if row_shape(output) == (vectors, weights.shape[0]) else f"output shape {list(output.shape)}"


CHECKS = (activations_are_int8, weights_are_constant_int8, has_fused_activation, one_vector_a_row)


def lower(graph: Graph, op: Op) -> Lowered:
    """Lower one fully connected layer."""
    weights = graph.tensors[op.inputs[1]].data
    assert weights is not None
    fields, constants = matrix(graph, op, weights)
    return Lowered("fully_connected_s8", {"matrix": fields}, constants, (op.inputs[0],), op.outputs[0])
