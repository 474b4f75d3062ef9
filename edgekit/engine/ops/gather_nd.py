"""GATHER_ND: slices picked by several indices each. Twin: firmware/engine/gather_nd.h."""

from __future__ import annotations

import numpy as np

from edgekit.engine.lowered import Lowered
from edgekit.engine.ops import _move
from edgekit.engine.ops._copy import strides
from edgekit.tflite.graph import Graph, Op

_INDICES = 5


def indices_fit(graph: Graph, op: Op) -> str | None:
    """int32 indices, 1 to 5 for each slice, inside of the input where they are constant, and shapes that fit"""
    source, indices, output = (graph.tensors[index] for index in (*op.inputs[:2], op.outputs[0]))
    count = indices.shape[-1] if indices.shape else 0
    if indices.dtype != "int32":
        return f"indices of type {indices.dtype}"
    if not 1 <= count <= min(_INDICES, len(source.shape)):
        return f"{count} indices for {len(source.shape)} dimensions"
    if output.shape != indices.shape[:-1] + source.shape[count:]:
        return f"{list(source.shape)} at {list(indices.shape)} to {list(output.shape)}"
    if indices.data is not None and ((indices.data < 0) | (indices.data >= np.array(source.shape[:count]))).any():
        return f"indices outside of {list(source.shape)}"
    return None


CHECKS = (_move.elements_move_unchanged, indices_fit)


def lower(graph: Graph, op: Op) -> Lowered:
    """Lower one gather; indices may be computed."""
    source, indices = (graph.tensors[index] for index in op.inputs[:2])
    count = indices.shape[-1]
    slice_elements = int(np.prod(source.shape[count:], dtype=np.int64))
    fields = {
        "element_bytes": np.dtype(source.dtype).itemsize,
        "slice_elements": slice_elements,
        "last_slice": source.elements - slice_elements,
        "indices": count,
        "stride": (*strides(source.shape)[:count], *(0,) * (_INDICES - count)),
    }
    return Lowered("gather_nd", fields, (), (source.index, indices.index), op.outputs[0])
