"""MAXIMUM and MINIMUM. Twin: firmware/engine/extremum.h."""

from __future__ import annotations

from edgekit.engine.lowered import Lowered
from edgekit.engine.ops import _binary
from edgekit.engine.ops._broadcast import shapes_broadcast
from edgekit.engine.ops._checks import all_of
from edgekit.tflite.graph import Graph, Op


def scales_are_equal(graph: Graph, op: Op) -> str | None:
    """equal scales and zero points of inputs and output"""
    tensors = [graph.tensors[index] for index in (*op.inputs, *op.outputs)]
    different = next((tensor for tensor in tensors if tensor.quant != tensors[0].quant), None)
    return None if different is None else f"tensor {different.name!r} has another scale or zero point"


CHECKS = (_binary.two_inputs, all_of("int8", "int16", "int32"), shapes_broadcast, scales_are_equal)


def lower_extremum(graph: Graph, op: Op, *, largest: bool) -> Lowered:
    """Lower to the larger or the smaller of two codes."""
    value = max if largest else min
    return _binary.lower_pair_or_table(graph, op, "extremum", {"largest": int(largest)}, value)
