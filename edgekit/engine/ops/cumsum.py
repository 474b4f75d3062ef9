"""CUMSUM along one axis. Twin: firmware/engine/cumsum_s8.h."""

from __future__ import annotations

import numpy as np

from edgekit.engine.lowered import Lowered, activations_are_int8, scale_of, zero_point_of
from edgekit.engine.multiplier import quantize_multiplier
from edgekit.engine.ops import _move
from edgekit.tflite.graph import Graph, Op

_MORE_BITS = 20


def axis_fits(graph: Graph, op: Op) -> str | None:
    """one constant axis, and an output of the input's shape"""
    before, after = graph.tensors[op.inputs[0]].shape, graph.tensors[op.outputs[0]].shape
    numbers = graph.tensors[op.inputs[1]]
    if numbers.data is None or numbers.elements != 1:
        return f"{numbers.elements} axes{', computed' if numbers.data is None else ''}"
    axis = _axis(graph, op)
    return None if 0 <= axis < len(before) and before == after else f"{list(before)} on axis {axis} to {list(after)}"


def scales_are_near(graph: Graph, op: Op) -> str | None:
    """scales less than 2^19 apart"""
    factor = _output_factor(graph, op)
    return None if 2**-31 <= factor < 1 else f"a factor of {factor}"


def _axis(graph: Graph, op: Op) -> int:
    return _move.axis_of(_move.parameter(graph, op, 1)[0], len(graph.tensors[op.inputs[0]].shape))


def _output_factor(graph: Graph, op: Op) -> float:
    before, after = graph.tensors[op.inputs[0]], graph.tensors[op.outputs[0]]
    return 2 * scale_of(before) / (float(1 << _MORE_BITS) * scale_of(after))


CHECKS = (activations_are_int8, axis_fits, scales_are_near)


def lower(graph: Graph, op: Op) -> Lowered:
    """Lower one running sum, at twice the input's scale with 20 bits more."""
    source, output = graph.tensors[op.inputs[0]], graph.tensors[op.outputs[0]]
    axis = _axis(graph, op)
    input_multiplier, input_shift = quantize_multiplier(0.5)
    output_multiplier, output_shift = quantize_multiplier(_output_factor(graph, op))
    fields = {
        "before": int(np.prod(source.shape[:axis], dtype=np.int64)),
        "depth": source.shape[axis],
        "behind": int(np.prod(source.shape[axis + 1 :], dtype=np.int64)),
        "exclusive": int(bool(op.options.get("exclusive"))),
        "reverse": int(bool(op.options.get("reverse"))),
        "input_zero_point": zero_point_of(source),
        "input_multiplier": input_multiplier,
        "input_shift": input_shift,
        "output_multiplier": output_multiplier,
        "output_shift": output_shift,
        "output_zero_point": zero_point_of(output),
    }
    return Lowered("cumsum_s8", fields, (), (source.index,), output.index)
