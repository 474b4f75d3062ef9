"""Checks that element-wise operators share."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edgekit.engine.lowered import Check
from edgekit.tflite.graph import Graph, Op, Tensor

_SAID = {
    "int8": "int8",
    "int16": "int16 with zero point 0",
    "int32": "int32 without a scale",
    "bool": "bool",
}


def all_of(*dtypes: str) -> Check:
    """Return a check that all inputs and outputs have one of these types, and one scale where they have a scale."""

    def check(graph: Graph, op: Op) -> str | None:
        tensors = [graph.tensors[index] for index in (*op.inputs, *op.outputs)]
        return _first_fault(tensors, dtypes) or _one_type(tensors)

    check.__doc__ = f"tensors of one type: {_listed(dtypes)}" if len(dtypes) > 1 else f"{_listed(dtypes)} tensors"
    return check


def inputs_of(*dtypes: str) -> Check:
    """Return a check that all inputs have one of these types; see `all_of`."""

    def check(graph: Graph, op: Op) -> str | None:
        tensors = [graph.tensors[index] for index in op.inputs]
        return _first_fault(tensors, dtypes) or _one_type(tensors)

    check.__doc__ = f"inputs of one type: {_listed(dtypes)}"
    return check


def output_of(*dtypes: str) -> Check:
    """Return a check that the output has one of these types; see `all_of`."""

    def check(graph: Graph, op: Op) -> str | None:
        return _first_fault([graph.tensors[op.outputs[0]]], dtypes)

    check.__doc__ = f"an output of type {_listed(dtypes)}"
    return check


def shape_is_kept(graph: Graph, op: Op) -> str | None:
    """one input and one output of equal shape"""
    if len(op.inputs) != 1:
        return f"{len(op.inputs)} inputs"
    before, after = graph.tensors[op.inputs[0]].shape, graph.tensors[op.outputs[0]].shape
    return None if before == after else f"{list(before)} to {list(after)}"


def int32_is_not_clamped(graph: Graph, op: Op) -> str | None:
    """no fused activation where the tensors are int32"""
    number = int(op.options.get("fusedActivationFunction", 0))
    is_int32 = graph.tensors[op.outputs[0]].dtype == "int32"
    return f"fused activation {number} of int32" if is_int32 and number else None


def quantization_fault(tensor: Tensor) -> str | None:
    """Return what is wrong with a tensor's scale for its type, or None."""
    quant = tensor.quant
    if tensor.dtype == "int32":
        return f"tensor {tensor.name!r} is int32 with a scale" if quant is not None else None
    if tensor.dtype not in ("int8", "int16"):
        return None
    if quant is None or quant.axis is not None or len(quant.scale) != 1:
        return f"tensor {tensor.name!r} has no single scale"
    if tensor.dtype == "int16" and quant.zero_point[0] != 0:
        return f"tensor {tensor.name!r} is int16 with zero point {quant.zero_point[0]}"
    return None


def sums_fault(weights: NDArray[Any], bias: NDArray[Any] | None = None) -> str | None:
    """Return that sums of int8 activations times weights may pass int32, or None.

    On its way to the sum a kernel meets at most the bias and 256 times the magnitudes of the weights: 128 for the
    activations, 128 for their zero point, which is folded into the bias.

    Args:
        weights: integers, shape (outputs, depth).
        bias: shape (outputs).
    """
    reach = largest_sum(weights, bias)
    return f"sums up to {reach}" if reach >= 2**31 else None


def largest_sum(weights: NDArray[Any], bias: NDArray[Any] | None = None) -> int:
    """Return what no sum on a kernel's way passes; see `sums_fault`."""
    # Without a copy of 64 bits: layers have a hundred million weights.
    positive, all_of_them = (part.sum(axis=1, dtype=np.int64) for part in (np.maximum(weights, 0), weights))
    reach = 256 * (2 * positive - all_of_them)
    if bias is not None:
        reach = reach + np.abs(bias.astype(np.int64)).reshape(-1)
    return int(reach.max())


def has_no_activation(graph: Graph, op: Op) -> str | None:  # noqa: ARG001
    """no fused activation"""
    number = int(op.options.get("fusedActivationFunction", 0))
    return f"fused activation {number}" if number else None


def _first_fault(tensors: Iterable[Tensor], dtypes: tuple[str, ...]) -> str | None:
    for tensor in tensors:
        if tensor.dtype not in dtypes:
            return f"tensor {tensor.name!r} is {tensor.dtype}"
        fault = quantization_fault(tensor)
        if fault is not None:
            return fault
    return None


def _one_type(tensors: list[Tensor]) -> str | None:
    kinds = list(dict.fromkeys(tensor.dtype for tensor in tensors))
    return None if len(kinds) == 1 else f"types {' and '.join(kinds)}"


def _listed(dtypes: tuple[str, ...]) -> str:
    said = [_SAID[dtype] for dtype in dtypes]
    return said[0] if len(said) == 1 else f"{', '.join(said[:-1])} or {said[-1]}"
