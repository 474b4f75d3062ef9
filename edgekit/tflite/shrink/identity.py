"""Operators that change nothing go: their readers read what went in."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from edgekit.errors import ModelError
from edgekit.tflite.flatbuffer import remove_unused
from edgekit.tflite.graph import Graph, Op, Tensor
from edgekit.tflite.shrink._model import view

_RESHAPES = ("RESHAPE", "SQUEEZE", "EXPAND_DIMS")


def apply(model: Any) -> int:
    """Remove identity operators, and reshapes of what another reshape made.

    Args:
        model: a `schema.ModelT` with one subgraph, changed in place.

    Returns:
        How many operators went.
    """
    removed = 0
    while True:
        try:
            graph = view(model)
        except ModelError:
            return removed
        changed, touched = 0, set[int]()
        for op in graph.ops:
            # The view is of before this round: what an operator before this one changed waits for the next.
            ends = {*op.inputs, *op.outputs}
            if touched.isdisjoint(ends) and _bypass(model, graph, op):
                touched |= ends
                changed += 1
        if not changed:
            return removed
        remove_unused(model)
        removed += changed


def _bypass(model: Any, graph: Graph, op: Op) -> bool:
    """Let the readers of an identity read its input; a model's output must come from an operator all the same."""
    subgraph = model.subgraphs[0]
    operator = subgraph.operators[op.index]
    if _merge_reshapes(model, graph, op):
        return True
    source, target = _source(graph, op), op.outputs[0] if len(op.outputs) == 1 else -1
    if source is None or not _same_values(graph.tensors[source], graph.tensors[target]):
        return False
    if target not in graph.outputs:
        for other in subgraph.operators:
            other.inputs = [source if int(index) == target else int(index) for index in other.inputs]
        operator.outputs = [_spare(model, target)]
        return True
    makers = [other for other in graph.ops if source in other.outputs]
    if source in (*graph.inputs, *graph.outputs) or len(makers) != 1:
        return False
    # The output keeps its name: whoever made the input now makes the output.
    maker = subgraph.operators[makers[0].index]
    maker.outputs = [target if int(index) == source else int(index) for index in maker.outputs]
    for other in subgraph.operators:
        other.inputs = [target if int(index) == source else int(index) for index in other.inputs]
    operator.inputs, operator.outputs = [target, *op.inputs[1:]], [_spare(model, target)]
    return True


def _spare(model: Any, like: int) -> int:
    """A tensor that nobody reads, for the output of an operator that is about to go."""
    tensors = model.subgraphs[0].tensors
    tensors.append(tensors[like])
    return len(tensors) - 1


def _same_values(before: Tensor, after: Tensor) -> bool:
    same = (before.shape, before.dtype, before.quant) == (after.shape, after.dtype, after.quant)
    return same and before.data is None and not before.is_variable and not after.is_variable


def _merge_reshapes(model: Any, graph: Graph, op: Op) -> bool:
    """A reshape of a reshape reads what the first one read."""
    if op.kind not in _RESHAPES:
        return False
    for first in graph.ops[: op.index]:
        if first.kind in _RESHAPES and first.outputs[0] == op.inputs[0]:
            # The second SQUEEZE or EXPAND_DIMS names axes of the shape in the middle.
            if op.kind != "RESHAPE" or op.inputs[0] == first.inputs[0]:
                return False
            model.subgraphs[0].operators[op.index].inputs = [first.inputs[0], *op.inputs[1:]]
            others = [other for other in graph.ops if op.inputs[0] in other.inputs and other is not op]
            return not others and op.inputs[0] not in graph.outputs
    return False


def _source(graph: Graph, op: Op) -> int | None:
    """The input that comes out unchanged if shape, type and scale stay; None where that does not follow."""
    if op.kind in _RESHAPES or op.kind == "QUANTIZE":
        return op.inputs[0]
    if op.kind == "CONCATENATION":
        fused = int(op.options.get("fusedActivationFunction", 0))
        return op.inputs[0] if len(op.inputs) == 1 and not fused else None
    if op.kind in ("PAD", "PADV2", "MIRROR_PAD", "SLICE", "TRANSPOSE", "BROADCAST_TO", "TILE"):
        return op.inputs[0] if _moves_nothing(graph, op) else None
    if op.kind in ("AVERAGE_POOL_2D", "MAX_POOL_2D"):
        names = ("filterHeight", "filterWidth", "strideH", "strideW")
        fused = int(op.options.get("fusedActivationFunction", 0))
        return op.inputs[0] if not fused and all(int(op.options[name]) == 1 for name in names) else None
    if op.kind in ("MUL", "DIV", "ADD", "SUB"):
        return _neutral(graph, op)
    return None


def _moves_nothing(graph: Graph, op: Op) -> bool:
    """With the same shape in and out, these move nothing unless a TRANSPOSE swaps axes of equal size."""
    if op.kind != "TRANSPOSE":
        return True
    order = graph.tensors[op.inputs[1]].data
    return order is not None and list(order.reshape(-1)) == list(range(order.size))


def _neutral(graph: Graph, op: Op) -> int | None:
    """The other operand where one is a constant that changes nothing: 1 to multiply by, 0 to add."""
    if int(op.options.get("fusedActivationFunction", 0)):
        return None
    neutral = 1.0 if op.kind in ("MUL", "DIV") else 0.0
    first, second = op.inputs
    if _is_all(graph.tensors[second], neutral):
        return first
    return second if op.kind in ("MUL", "ADD") and _is_all(graph.tensors[first], neutral) else None


def _is_all(tensor: Tensor, value: float) -> bool:
    if tensor.data is None:
        return False
    real: NDArray[np.float64] = tensor.data.astype(np.float64)
    if tensor.quant is not None:
        if len(tensor.quant.scale) != 1:
            return False
        real = (real - tensor.quant.zero_point[0]) * tensor.quant.scale[0]
    return bool(np.all(np.abs(real - value) < 1e-6))
