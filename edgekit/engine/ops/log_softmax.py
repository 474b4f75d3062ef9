"""LOG_SOFTMAX over the last axis. Twin: firmware/engine/log_softmax_s8.h."""

from __future__ import annotations

from edgekit.engine.lowered import Lowered, activations_are_int8, same_rows, scale_of, zero_point_of
from edgekit.engine.multiplier import quantize_multiplier
from edgekit.engine.ops._softmax import input_scale_is_in_range, softmax_fields, vectors_are_short
from edgekit.tflite.graph import Graph, Op


def output_is_a_logarithm(graph: Graph, op: Op) -> str | None:
    """an output of scale 1/16 and zero point 127"""
    output = graph.tensors[op.outputs[0]]
    same = scale_of(output) == 1 / 16 and zero_point_of(output) == 127
    return None if same else f"scale {scale_of(output)} and zero point {zero_point_of(output)}"


CHECKS = (activations_are_int8, output_is_a_logarithm, input_scale_is_in_range, vectors_are_short)


def lower(graph: Graph, op: Op) -> Lowered:
    """Lower one logarithm of a softmax: the difference to the largest input, less the logarithm of the sum of exp."""
    fields = softmax_fields(graph.tensors[op.inputs[0]], 1.0)
    inverse_multiplier, inverse_shift = quantize_multiplier(2.0 ** (31 - fields["shift"]) / fields["multiplier"])
    return Lowered(
        kernel="log_softmax_s8",
        fields={"softmax": fields, "inverse_multiplier": inverse_multiplier, "inverse_shift": inverse_shift},
        constants=(),
        inputs=(op.inputs[0],),
        output=op.outputs[0],
        rows_read=(same_rows(graph, op.inputs[0], op.outputs[0]),),
    )
