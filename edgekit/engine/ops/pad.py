"""PAD: with what stands for the real number 0. Twin: firmware/engine/strided_copy.h."""

from __future__ import annotations

from edgekit.engine.lowered import Lowered
from edgekit.engine.ops import _pad
from edgekit.tflite.graph import Graph, Op

CHECKS = _pad.CHECKS


def lower(graph: Graph, op: Op) -> tuple[Lowered, ...]:
    """Lower one padding; TFLite Micro pads all types but int8 with 0."""
    output = graph.tensors[op.outputs[0]]
    return _pad.lower(graph, op, output.quant.zero_point[0] if output.quant and output.dtype == "int8" else 0)
