"""LOGICAL_AND, LOGICAL_OR, LOGICAL_NOT. Twin: firmware/engine/logical_s8.h."""

from __future__ import annotations

from edgekit.engine.lowered import Lowered
from edgekit.engine.ops import _binary, _broadcast
from edgekit.engine.ops._checks import all_of, shape_is_kept
from edgekit.tflite.graph import Graph, Op

PAIR_CHECKS = (_binary.two_inputs, all_of("bool"), _broadcast.shapes_broadcast)
NOT_CHECKS = (shape_is_kept, all_of("bool"))


def lower_logical(graph: Graph, op: Op, truth: int) -> Lowered:
    """Lower to a table of truth.

    Args:
        graph, op: the operator; an operator of one input takes it twice.
        truth: bit 2 * left + right is the answer.
    """
    left, right, output = (graph.tensors[index] for index in (op.inputs[0], op.inputs[-1], op.outputs[0]))
    loops, operands = _broadcast.loop_fields(output, (left, right))
    pair = {"loops": loops, "left": operands[0], "right": operands[1]}
    return Lowered(
        kernel="logical_s8",
        fields={"pair": pair, "truth": truth},
        constants=(),
        inputs=(left.index, right.index),
        output=output.index,
        rows_read=_broadcast.rows_read(operands),
    )
