"""SHAPE: known while building. Twin: firmware/engine/constant.h."""

from __future__ import annotations

import numpy as np

from edgekit.engine.lowered import Lowered
from edgekit.engine.ops._constant import lower_constant
from edgekit.tflite.graph import Graph, Op


def output_is_int32(graph: Graph, op: Op) -> str | None:
    """an int32 output with a number for each dimension"""
    output, rank = graph.tensors[op.outputs[0]], len(graph.tensors[op.inputs[0]].shape)
    fits = output.dtype == "int32" and output.elements == rank
    return None if fits else f"{output.elements} numbers of type {output.dtype} for {rank} dimensions"


CHECKS = (output_is_int32,)


def lower(graph: Graph, op: Op) -> Lowered:
    """Lower it to a constant."""
    return lower_constant(graph, op, np.array(graph.tensors[op.inputs[0]].shape))
