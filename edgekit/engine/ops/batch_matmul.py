"""BATCH_MATMUL. Twins: firmware/engine/matmul_s8.h, matmul_s16.h."""

from __future__ import annotations

from edgekit.engine.lowered import Lowered, scale_of, zero_point_of
from edgekit.engine.multiplier import quantize_multiplier
from edgekit.engine.ops._checks import all_of
from edgekit.engine.ops._linear import wide_multiplier
from edgekit.engine.ops._matmul import BATCHES, Operand, product_shape, shape_fields
from edgekit.tflite.graph import Graph, Op


def shapes_fit(graph: Graph, op: Op) -> str | None:
    """matrices of rank 2 to 5 whose depths are equal and whose batches are equal or 1"""
    shapes = [graph.tensors[index].shape for index in (*op.inputs, *op.outputs)]
    if any(not 2 <= len(shape) <= 2 + BATCHES for shape in shapes):
        return f"ranks {[len(shape) for shape in shapes]}"
    expected = product_shape(*_operands(graph, op))
    padded = (1,) * (2 + BATCHES - len(shapes[2])) + shapes[2]
    return None if expected == padded else f"shapes {', '.join(str(list(shape)) for shape in shapes)}"


def sums_fit(graph: Graph, op: Op) -> str | None:
    """matrices of a depth up to 32,768 with int8, whose sums int32 holds"""
    depth = _operands(graph, op)[0].matrix[1]
    return f"a depth of {depth}" if graph.tensors[op.inputs[0]].dtype == "int8" and depth > 1 << 15 else None


def factor_is_in_range(graph: Graph, op: Op) -> str | None:
    """scales whose product is below 2^30 times the output scale, with int16 below 2^7 times"""
    limit = 2.0**7 if graph.tensors[op.inputs[0]].dtype == "int16" else 2.0**30
    return None if _factor(graph, op) < limit else f"{_factor(graph, op):g} times"


CHECKS = (all_of("int8", "int16"), shapes_fit, sums_fit, factor_is_in_range)


def lower(graph: Graph, op: Op) -> Lowered:
    """Lower one product of two tensors of matrices; either may be constant, transposed, or serve several batches."""
    left, right = (graph.tensors[index] for index in op.inputs)
    output = graph.tensors[op.outputs[0]]
    shape = shape_fields(*_operands(graph, op), output)
    multiplier, shift = quantize_multiplier(_factor(graph, op))
    if left.dtype == "int16":
        multiplier, shift = wide_multiplier(multiplier, shift)
        fields = {"shape": shape, "multiplier": multiplier, "shift": shift}
        return Lowered("matmul_s16", fields, (), op.inputs, op.outputs[0])
    fields = {
        "shape": shape,
        "bias": None,
        "left_zero_point": zero_point_of(left),
        "right_zero_point": zero_point_of(right),
        "multiplier": multiplier,
        "shift": shift,
        "output_zero_point": zero_point_of(output),
        "activation_min": -128,
        "activation_max": 127,
    }
    return Lowered("matmul_s8", fields, (), op.inputs, op.outputs[0])


def _operands(graph: Graph, op: Op) -> tuple[Operand, Operand]:
    left, right = (graph.tensors[index].shape for index in op.inputs)
    return Operand(left, bool(op.options["adjX"])), Operand(right, bool(op.options["adjY"]))


def _factor(graph: Graph, op: Op) -> float:
    """In double, as TFLM does it; LiteRT multiplies the two scales in float32."""
    left, right = (scale_of(graph.tensors[index]) for index in op.inputs)
    return left * right / scale_of(graph.tensors[op.outputs[0]])
