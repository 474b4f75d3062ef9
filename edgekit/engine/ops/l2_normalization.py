"""L2_NORMALIZATION over the last axis. Twin: firmware/engine/l2_normalization_s8.h."""

from __future__ import annotations

from edgekit.engine.lowered import Lowered, activations_are_int8, row_shape, same_rows, scale_of, zero_point_of
from edgekit.engine.ops._checks import has_no_activation
from edgekit.tflite.graph import Graph, Op


def output_is_within_one(graph: Graph, op: Op) -> str | None:
    """an output of scale 1/128 and zero point 0"""
    output = graph.tensors[op.outputs[0]]
    same = scale_of(output) == 1 / 128 and zero_point_of(output) == 0
    return None if same else f"scale {scale_of(output)} and zero point {zero_point_of(output)}"


def vectors_are_short(graph: Graph, op: Op) -> str | None:
    """vectors of at most 32,768 elements, whose sum of squares int32 holds"""
    depth = graph.tensors[op.inputs[0]].shape[-1]
    return None if depth <= 1 << 15 else f"{depth} elements"


CHECKS = (activations_are_int8, output_is_within_one, has_no_activation, vectors_are_short)


def lower(graph: Graph, op: Op) -> Lowered:
    """Lower one normalization; the input's scale cancels out."""
    before = graph.tensors[op.inputs[0]]
    return Lowered(
        kernel="l2_normalization_s8",
        fields={
            "row_elements": row_shape(before)[1],
            "depth": before.shape[-1],
            "input_zero_point": zero_point_of(before),
        },
        constants=(),
        inputs=(op.inputs[0],),
        output=op.outputs[0],
        rows_read=(same_rows(graph, op.inputs[0], op.outputs[0]),),
    )
