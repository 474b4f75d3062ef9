"""BROADCAST_ARGS: the common shape of two constant ones. Twin: firmware/engine/constant.h."""

from __future__ import annotations

import numpy as np

from edgekit.engine.lowered import Lowered
from edgekit.engine.ops import _move
from edgekit.engine.ops._constant import lower_constant
from edgekit.tflite.graph import Graph, Op


def shapes_are_constant_and_fit(graph: Graph, op: Op) -> str | None:
    """two constant shapes that broadcast to as many numbers as the output has"""
    if any(graph.tensors[index].data is None for index in op.inputs):
        return "a computed shape"
    left, right = _move.parameter(graph, op, 0), _move.parameter(graph, op, 1)
    output = graph.tensors[op.outputs[0]]
    try:
        fits = len(np.broadcast_shapes(left, right)) == output.elements and output.dtype in ("int32", "int64")
    except ValueError:
        fits = False
    return None if fits else f"{list(left)} and {list(right)} to {output.elements} numbers of type {output.dtype}"


CHECKS = (shapes_are_constant_and_fit,)


def lower(graph: Graph, op: Op) -> Lowered:
    """Lower it to a constant."""
    common = np.broadcast_shapes(_move.parameter(graph, op, 0), _move.parameter(graph, op, 1))
    return lower_constant(graph, op, np.array(common))
