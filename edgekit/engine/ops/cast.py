"""CAST. Twin: firmware/engine/cast.h."""

from __future__ import annotations

from edgekit.engine.lowered import Lowered, row_shape, same_rows
from edgekit.engine.ops._checks import shape_is_kept
from edgekit.tflite.graph import Graph, Op

_BYTES = {"bool": 1, "int8": 1, "int16": 2, "int32": 4}


def types_are_integers(graph: Graph, op: Op) -> str | None:
    """from bool, int8, int16 or int32 to int8, int16 or int32"""
    before, after = graph.tensors[op.inputs[0]].dtype, graph.tensors[op.outputs[0]].dtype
    return None if before in _BYTES and after in _BYTES and after != "bool" else f"{before} to {after}"


CHECKS = (shape_is_kept, types_are_integers)


def lower(graph: Graph, op: Op) -> Lowered:
    """Lower one change of type; what does not fit loses its upper bits."""
    before, after = graph.tensors[op.inputs[0]], graph.tensors[op.outputs[0]]
    fields = {
        "row_elements": row_shape(after)[1],
        "input_bytes": _BYTES[before.dtype],
        "output_bytes": _BYTES[after.dtype],
    }
    rows = (same_rows(graph, before.index, after.index),)
    return Lowered("cast", fields, (), (before.index,), after.index, rows_read=rows)
