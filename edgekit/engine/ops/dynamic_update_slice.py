"""DYNAMIC_UPDATE_SLICE: a box written at a computed place. Twin: firmware/engine/update_slice.h."""

from __future__ import annotations

import numpy as np

from edgekit.engine.lowered import Lowered
from edgekit.engine.ops import _move
from edgekit.engine.ops._copy import box, copy, strides
from edgekit.tflite.graph import Graph, Op

_DIMENSIONS = 5


def box_fits(graph: Graph, op: Op) -> str | None:
    """a box with as many dimensions as the input, 1 to 5, and not larger, and int32 starts, one for each"""
    before, moved, starts, output = (graph.tensors[index] for index in (*op.inputs[:3], op.outputs[0]))
    rank = len(before.shape)
    if starts.dtype != "int32" or starts.elements != rank or not 1 <= rank <= _DIMENSIONS:
        return f"{starts.elements} starts of type {starts.dtype} for {rank} dimensions"
    inside = len(moved.shape) == rank and all(a <= b for a, b in zip(moved.shape, before.shape, strict=True))
    return None if inside and output.shape == before.shape else f"{list(moved.shape)} in {list(before.shape)}"


CHECKS = (_move.elements_move_unchanged, box_fits)


def lower(graph: Graph, op: Op) -> tuple[Lowered, ...]:
    """Lower it to a copy of the input, then the box over it."""
    before, moved = graph.tensors[op.inputs[0]].shape, graph.tensors[op.inputs[1]].shape
    steps = strides(before)
    fields = {
        "element_bytes": np.dtype(graph.tensors[op.outputs[0]].dtype).itemsize,
        "dimensions": len(before),
        "runs": int(np.prod(moved[:-1], dtype=np.int64)),
        "size": _padded(moved),
        "stride": _padded(steps),
        "room": _padded(tuple(a - b for a, b in zip(before, moved, strict=True))),
    }
    update = Lowered("update_slice", fields, (), (op.inputs[1], op.inputs[2]), op.outputs[0])
    return (*copy(graph, op.inputs[0], op.outputs[0], box(before, steps, steps)), update)


def _padded(values: tuple[int, ...]) -> tuple[int, ...]:
    return (*values, *(0,) * (_DIMENSIONS - len(values)))
