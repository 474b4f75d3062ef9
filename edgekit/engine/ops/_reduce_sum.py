"""What SUM and MEAN share. Twins: firmware/engine/reduce_sum.h, reduce_sum_rows_s8.h."""

from __future__ import annotations

from edgekit.engine.lowered import Lowered, scale_of, zero_point_of
from edgekit.engine.multiplier import quantize_multiplier
from edgekit.engine.ops import _row_sums
from edgekit.engine.ops._checks import all_of
from edgekit.engine.ops._reduce import axes_fit, reduced_axes, reduced_elements, reduction_fields
from edgekit.tflite.graph import Graph, Op

# Of the largest difference between a value and its zero point.
_MOST_ELEMENTS = {"int8": 1 << 23, "int16": 1 << 16}
_quantized = all_of("int8", "int16")


def activations_are_quantized(graph: Graph, op: Op) -> str | None:
    """int8 or int16 activations (with zero point 0) of one type, with one scale per tensor"""
    moved = Op(op.index, op.kind, op.version, op.inputs[:1], op.outputs, op.options)
    return _quantized(graph, moved)


def sums_fit(graph: Graph, op: Op) -> str | None:
    """sums that fit into int32, at scales not more than 2^30 apart"""
    source, output = graph.tensors[op.inputs[0]], graph.tensors[op.outputs[0]]
    count, factor = reduced_elements(graph, op), scale_of(source) / scale_of(output)
    if count <= _MOST_ELEMENTS[source.dtype] and factor < 2**30:
        return None
    return f"{count} elements a sum, scales {scale_of(source)} to {scale_of(output)}"


CHECKS = (activations_are_quantized, axes_fit, sums_fit)


def lower(graph: Graph, op: Op, *, is_mean: bool) -> Lowered:
    """Lower one reduction."""
    source, output = graph.tensors[op.inputs[0]], graph.tensors[op.outputs[0]]
    fields = {
        "reduction": reduction_fields(graph, op),
        "is_int16": int(source.dtype == "int16"),
        **_scaling(graph, op, is_mean=is_mean),
    }
    return Lowered("reduce_sum", fields, (), (source.index,), output.index)


def lower_by_rows(graph: Graph, op: Op, *, is_mean: bool) -> Lowered | None:
    """Lower a reduction over all positions to one that adds up the rows as they come."""
    source, output = graph.tensors[op.inputs[0]], graph.tensors[op.outputs[0]]
    positions = frozenset(range(1, len(source.shape) - 1))
    if reduced_axes(graph, op) - {0} != positions:
        return None
    return _row_sums.lower("reduce_sum_rows_s8", source, output, _scaling(graph, op, is_mean=is_mean))


def _scaling(graph: Graph, op: Op, *, is_mean: bool) -> dict[str, int]:
    """How sums become codes; a mean's division becomes part of the multiplier, truncated as TFLite does it."""
    source, output = graph.tensors[op.inputs[0]], graph.tensors[op.outputs[0]]
    count = reduced_elements(graph, op)
    multiplier, shift = quantize_multiplier(scale_of(source) / scale_of(output))
    if is_mean:
        bits = min(count.bit_length() - 1, 32, 31 + shift)
        multiplier, shift = (multiplier << bits) // count, shift - bits
    return {
        "zero_points": zero_point_of(source) * count,
        "multiplier": multiplier,
        "shift": shift,
        "output_zero_point": zero_point_of(output),
    }
