"""CONV_2D. Twin: firmware/engine/conv_2d_s8.h."""

from __future__ import annotations

from edgekit.engine.lowered import (
    Lowered,
    activations_are_int8,
    has_fused_activation,
    images_of_batch_one,
    weights_are_constant_int8,
)
from edgekit.engine.ops._convolution import window_fields
from edgekit.engine.ops._matrix import matrix
from edgekit.tflite.graph import Graph, Op


def is_not_grouped(graph: Graph, op: Op) -> str | None:
    """weights that see all input channels (no groups)"""
    channels, seen = graph.tensors[op.inputs[0]].shape[3], graph.tensors[op.inputs[1]].shape[3]
    return None if channels == seen else f"weights that see {seen} of {channels} channels"


CHECKS = (
    activations_are_int8,
    weights_are_constant_int8,
    images_of_batch_one,
    has_fused_activation,
    is_not_grouped,
)


def lower(graph: Graph, op: Op) -> Lowered:
    """Lower one convolution to a gathered patch times a matrix."""
    weights = graph.tensors[op.inputs[1]]
    assert weights.data is not None
    channels, kernel_rows, kernel_columns, _ = weights.shape
    window = window_fields(graph, op, (kernel_rows, kernel_columns), repeat=1)
    fields, constants = matrix(graph, op, weights.data.reshape(channels, -1))
    pointwise = kernel_rows == kernel_columns == 1
    return Lowered(
        kernel="conv_2d_s8",
        fields={
            "window": window,
            "matrix": fields,
            "output_columns": graph.tensors[op.outputs[0]].shape[2],
            "pointwise": int(pointwise),
        },
        constants=constants,
        inputs=(op.inputs[0],),
        output=op.outputs[0],
        scratch_bytes=0 if pointwise else int(fields["depth"]),
    )
