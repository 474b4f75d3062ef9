"""FULLY_CONNECTED. Twins: firmware/engine/fully_connected_s8.h, fully_connected_vectors_s8.h; for int16 activations
fully_connected_s16.h; for computed weights matmul_s8.h."""

from __future__ import annotations

from edgekit.engine.lowered import Lowered, has_fused_activation, row_shape, same_rows, zero_point_of
from edgekit.engine.ops import _linear
from edgekit.engine.ops._linear import Linear
from edgekit.engine.ops._matmul import Operand, shape_fields
from edgekit.engine.ops._matrix import matrix
from edgekit.tflite.graph import Graph, Op

_KERNELS = {"s8": "fully_connected_vectors_s8", "s16": "fully_connected_s16"}


def a_vector_for_each_vector(graph: Graph, op: Op) -> str | None:
    """as many vectors of the weights' units out as there come vectors of the weights' depth in"""
    before, after = graph.tensors[op.inputs[0]], graph.tensors[op.outputs[0]]
    units, depth = graph.tensors[op.inputs[1]].shape[-2:]
    vectors, rest = divmod(before.elements, depth)
    matches = rest == 0 and after.shape[-1:] == (units,) and after.elements == vectors * units
    return None if matches else f"shapes {list(before.shape)} and {list(after.shape)} with {units} units of {depth}"


def weights_are_constant_or_int8(graph: Graph, op: Op) -> str | None:
    """constant weights as a convolution takes them; or int8 beside int8, computed or with a zero point, of one scale"""
    layer = _linear.linear(graph, op)
    if not _is_product(layer):
        return _linear.weights_are_constant(graph, op)
    if layer.input.dtype != "int8" or layer.weights.dtype != "int8":
        return f"computed {layer.weights.dtype} weights with {layer.input.dtype} activations"
    is_single = layer.weights.quant is not None and len(layer.weights.quant.scale) == 1
    return None if is_single else "computed weights without a single scale"


def _is_product(layer: Linear) -> bool:
    """Whether the weights are an operand like the activations, instead of a matrix that is encoded for the kernel."""
    quant = layer.weights.quant
    has_zero_point = quant is not None and len(quant.scale) == 1 and any(quant.zero_point)
    return layer.weights.data is None or (has_zero_point and layer.weights.dtype == layer.input.dtype == "int8")


CHECKS = (
    _linear.activations_are_int8_or_int16,
    weights_are_constant_or_int8,
    _linear.bias_is_constant,
    _linear.factors_are_in_range,
    _linear.sums_fit,
    has_fused_activation,
    a_vector_for_each_vector,
)


def lower(graph: Graph, op: Op) -> Lowered:
    """Lower one fully connected layer; the input may have any rank, its vectors lie one behind the other."""
    layer = _linear.linear(graph, op)
    if _is_product(layer):
        return _product(layer)
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
        rows_read=(same_rows(graph, op.inputs[0], op.outputs[0]),),
    )


def _product(layer: Linear) -> Lowered:
    depth = layer.weights.shape[-1]
    vectors = Operand((layer.input.elements // depth, depth), is_transposed=False)
    weights = Operand((layer.channels, depth), is_transposed=True)
    multiplier, shift, _ = _linear.multiplier_constants(layer)
    bias = None if layer.bias is None else _linear.plain_bias(layer)
    return Lowered(
        kernel="matmul_s8",
        fields={
            "shape": shape_fields(vectors, weights, layer.output),
            "bias": None if bias is None else "bias",
            "left_zero_point": zero_point_of(layer.input),
            "right_zero_point": zero_point_of(layer.weights),
            "multiplier": int(multiplier.values[0]),
            "shift": int(shift.values[0]),
            **_linear.output_fields(layer),
        },
        constants=() if bias is None else (bias,),
        inputs=(layer.op.inputs[0], layer.op.inputs[1]),
        output=layer.op.outputs[0],
    )
