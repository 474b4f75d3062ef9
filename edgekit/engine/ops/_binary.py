"""What operators of two tensors share. Twin: firmware/engine/binary.h."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from edgekit.engine.lowered import Lowered
from edgekit.engine.ops import _broadcast, _table
from edgekit.engine.ops._fixed_point import codes
from edgekit.tflite.graph import Graph, Op, Tensor

SUFFIXES = {"int8": "s8", "int16": "s16", "int32": "s32", "bool": "s8"}


def two_inputs(graph: Graph, op: Op) -> str | None:  # noqa: ARG001
    """two inputs, computed or constant"""
    return None if len(op.inputs) == 2 and min(op.inputs) >= 0 else f"{len(op.inputs)} inputs"


def left_right_output(graph: Graph, op: Op) -> tuple[Tensor, Tensor, Tensor]:
    """Return both inputs and the output."""
    left, right, output = (graph.tensors[index] for index in (*op.inputs[:2], op.outputs[0]))
    return left, right, output


def lower_pair(graph: Graph, op: Op, kernel: str, fields: Mapping[str, Any]) -> Lowered:
    """Lower an operator to a kernel whose layer starts with an `ek_pair`.

    Args:
        graph, op: the operator.
        kernel: its name without the type, e.g. ``mul``.
        fields: what follows the pair.
    """
    left, right, output = left_right_output(graph, op)
    loops, operands = _broadcast.loop_fields(output, (left, right))
    pair = {"loops": loops, "left": operands[0], "right": operands[1]}
    return Lowered(
        kernel=f"{kernel}_{SUFFIXES[left.dtype]}",
        fields={"pair": pair, **fields},
        constants=(),
        inputs=(left.index, right.index),
        output=output.index,
        rows_read=_broadcast.rows_read(operands),
    )


def lower_pair_or_table(
    graph: Graph, op: Op, kernel: str, fields: Mapping[str, Any], value: Callable[[int, int], int]
) -> Lowered:
    """Lower to a table where one int8 activation alone decides the output, else as `lower_pair`.

    Args:
        graph, op, kernel, fields: see `lower_pair`.
        value: the output code of two input codes: what the kernel computes.
    """
    left, right, output = left_right_output(graph, op)
    if left.dtype == "int8" and left.data is None and left.shape == output.shape:
        if left.index == right.index:
            return _table.lower_table(graph, op, lambda code: value(code, code))
        if right.data is not None and right.elements == 1:
            constant = int(right.data.reshape(-1)[0])
            return _table.lower_table(graph, op, lambda code: value(code, constant))
    is_whole = right.dtype == "int8" and right.data is None and right.shape == output.shape
    if is_whole and left.data is not None and left.elements == 1:
        constant = int(left.data.reshape(-1)[0])
        return _table.lower_values(graph, right.index, output.index, (value(constant, code) for code in codes()))
    return lower_pair(graph, op, kernel, fields)
