"""What reductions to a largest or smallest element share. Twin: firmware/engine/reduce_extreme.h."""

from __future__ import annotations

from edgekit.engine.lowered import Check, Lowered
from edgekit.engine.ops import _move
from edgekit.engine.ops._reduce import axes_fit, reduction_fields
from edgekit.tflite.graph import Graph, Op


def _type_is(*dtypes: str) -> Check:
    def check(graph: Graph, op: Op) -> str | None:
        dtype = graph.tensors[op.outputs[0]].dtype
        return None if dtype in dtypes else f"tensors of type {dtype}"

    check.__doc__ = f"tensors of type {' or '.join(dtypes)}"
    return check


CHECKS = (_type_is("int8", "int16"), _move.elements_move_unchanged, axes_fit)
CHECKS_OF_BOOL = (_type_is("bool"), _move.elements_move_unchanged, axes_fit)


def lower(graph: Graph, op: Op, *, sign: int) -> Lowered:
    """Lower one reduction; a sign of 1 looks for the largest element, -1 for the smallest."""
    fields = {
        "reduction": reduction_fields(graph, op),
        "is_int16": int(graph.tensors[op.inputs[0]].dtype == "int16"),
        "sign": sign,
    }
    return Lowered("reduce_extreme", fields, (), (op.inputs[0],), op.outputs[0])
