"""SELECT_V2. Twins: firmware/engine/select_v2_s8.h, select_v2_s16.h."""

from __future__ import annotations

from edgekit.engine.lowered import Lowered
from edgekit.engine.ops._broadcast import loop_fields, rows_read, shapes_broadcast
from edgekit.tflite.graph import Graph, Op


def is_a_choice(graph: Graph, op: Op) -> str | None:
    """a bool condition and two inputs of the output's type, int8 or int16"""
    if len(op.inputs) != 3 or min(op.inputs) < 0:
        return f"{len(op.inputs)} inputs"
    condition, left, right, output = (graph.tensors[index].dtype for index in (*op.inputs, *op.outputs))
    fits = condition == "bool" and left == right == output and output in ("int8", "int16")
    return None if fits else f"{condition} between {left} and {right} to {output}"


def scales_are_equal(graph: Graph, op: Op) -> str | None:
    """equal scales and zero points of both inputs and the output"""
    left, right, output = (graph.tensors[index].quant for index in (*op.inputs[1:], *op.outputs))
    return None if left == right == output else f"{left}, {right} to {output}"


CHECKS = (is_a_choice, shapes_broadcast, scales_are_equal)


def lower(graph: Graph, op: Op) -> Lowered:
    """Lower one choice between two tensors, element by element."""
    output = graph.tensors[op.outputs[0]]
    inputs = [graph.tensors[index] for index in op.inputs]
    loops, operands = loop_fields(output, inputs)
    names = ("condition", "left", "right")
    return Lowered(
        kernel="select_v2_s8" if output.dtype == "int8" else "select_v2_s16",
        fields={"loops": loops, **dict(zip(names, operands, strict=True))},
        constants=(),
        inputs=tuple(op.inputs),
        output=output.index,
        rows_read=rows_read(operands),
    )
