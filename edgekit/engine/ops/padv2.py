"""PADV2: with a given value. Twin: firmware/engine/strided_copy.h."""

from __future__ import annotations

from edgekit.engine.lowered import Lowered
from edgekit.engine.ops import _move, _pad
from edgekit.tflite.graph import Graph, Op


def value_fits(graph: Graph, op: Op) -> str | None:
    """one value of the output's type, scale and zero point"""
    value, output = graph.tensors[op.inputs[2]], graph.tensors[op.outputs[0]]
    if value.elements != 1 or value.dtype != output.dtype:
        return f"{value.elements} values of type {value.dtype}"
    return None if _move.quantized_alike(value, output) else "a value of another scale or zero point"


CHECKS = (*_pad.CHECKS, value_fits)


def lower(graph: Graph, op: Op) -> tuple[Lowered, ...]:
    """Lower one padding."""
    return _pad.lower(graph, op, _move.parameter(graph, op, 2)[0])
