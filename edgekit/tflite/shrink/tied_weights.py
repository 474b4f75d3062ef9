"""One int8 copy of a matrix that a network looks up at its start and multiplies by at its end.

The converter quantizes an embedding table by its range and the same numbers in a dense layer symmetrically, so their
bytes differ though the floats were one matrix. Here the look-up takes the dense layer's bytes and scale, and so does
its output. The codes behind it change with the scale: the engines decide whether the model's outputs stay equal.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from edgekit.errors import ModelError
from edgekit.tflite.graph import Graph, Op, Tensor
from edgekit.tflite.shrink._model import view

# Rows that are looked at for a first impression.
_SAMPLED_ROWS = 64


def apply(model: Any) -> int:
    """Point look-up tables at the weights of a dense layer that hold the same numbers.

    Args:
        model: a `schema.ModelT` with one subgraph, changed in place.

    Returns:
        How many tables were replaced.
    """
    try:
        graph = view(model)
    except ModelError:
        return 0
    changed = 0
    for op in graph.ops:
        twin = _twin(graph, op)
        if twin is None:
            continue
        tensors = model.subgraphs[0].tensors
        table, output = tensors[op.inputs[0]], tensors[op.outputs[0]]
        table.buffer, table.quantization = tensors[twin.index].buffer, tensors[twin.index].quantization
        output.quantization = tensors[twin.index].quantization
        changed += 1
    return changed


def _twin(graph: Graph, op: Op) -> Tensor | None:
    """The dense layer's weights that a GATHER's table repeats, both with one scale."""
    table = graph.tensors[op.inputs[0]] if op.kind == "GATHER" else None
    if table is None or not _has_one_scale(table) or op.outputs[0] in graph.outputs:
        return None
    for other in graph.ops:
        if other.kind == "FULLY_CONNECTED":
            weights = graph.tensors[other.inputs[1]]
            if _has_one_scale(weights) and weights.shape == table.shape and _same_numbers(table, weights):
                return weights
    return None


def _has_one_scale(tensor: Tensor) -> bool:
    is_int8 = tensor.data is not None and tensor.dtype == "int8"
    return is_int8 and tensor.quant is not None and len(tensor.quant.scale) == 1


def _same_numbers(table: Tensor, weights: Tensor) -> bool:
    """Real values agree within the rounding of both; equal bytes and scales are left to the merging of duplicates."""
    assert table.data is not None and weights.data is not None and table.quant is not None and weights.quant is not None
    if table.quant == weights.quant:
        return False
    tolerance = 0.5001 * (table.quant.scale[0] + weights.quant.scale[0])
    steps = [slice(None, None, max(1, len(table.data) // _SAMPLED_ROWS)), *_blocks(len(table.data))]
    return all(bool(np.all(np.abs(_real(table, rows) - _real(weights, rows)) <= tolerance)) for rows in steps)


def _blocks(rows: int) -> list[slice]:
    return [slice(start, start + 1024) for start in range(0, rows, 1024)]


def _real(tensor: Tensor, rows: slice) -> Any:
    assert tensor.data is not None and tensor.quant is not None
    return (tensor.data[rows].astype(np.float64) - tensor.quant.zero_point[0]) * tensor.quant.scale[0]
