"""SOFTMAX over the last axis. Twins: firmware/engine/softmax_s8.h, softmax_s8_s16.h, softmax_s16.h."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from edgekit.engine.lowered import Constant, Lowered, row_shape, same_rows, scale_of, zero_point_of
from edgekit.engine.multiplier import quantize_multiplier
from edgekit.engine.ops._softmax import input_scale_is_in_range, softmax_fields, vectors_are_short
from edgekit.tflite.graph import Graph, Op, Tensor

# Types in and out -> kernel, scale and zero point of the output, share by which the scale may be off.
_FORMS = {
    ("int8", "int8"): ("softmax_s8", 1 / 256, -128, 0.0),
    ("int8", "int16"): ("softmax_s8_s16", 1 / 65536, -32768, 0.001),
    ("int16", "int16"): ("softmax_s16", 1 / 32768, 0, 0.001),
}
_TABLE_STEPS = 512
_RANGE = np.float32(65535)


def is_int8_or_int16(graph: Graph, op: Op) -> str | None:
    """int8 in and int8 or int16 out, or int16 with zero point 0 in and int16 out, with one scale per tensor"""
    before, after = graph.tensors[op.inputs[0]], graph.tensors[op.outputs[0]]
    if (before.dtype, after.dtype) not in _FORMS:
        return f"{before.dtype} in and {after.dtype} out"
    for tensor in (before, after):
        if tensor.quant is None or len(tensor.quant.scale) != 1:
            return f"tensor {tensor.name!r} has no single scale"
    return "a zero point" if before.dtype == "int16" and zero_point_of(before) else None


def output_is_a_probability(graph: Graph, op: Op) -> str | None:
    """an output of scale 1/256 and zero point -128; of int16 1/65536 and -32768, or 1/32768 and 0 from int16"""
    before, after = graph.tensors[op.inputs[0]], graph.tensors[op.outputs[0]]
    _, scale, zero_point, tolerance = _FORMS[before.dtype, after.dtype]
    same = abs(scale_of(after) - scale) <= tolerance * scale and zero_point_of(after) == zero_point
    return None if same else f"scale {scale_of(after)} and zero point {zero_point_of(after)}"


CHECKS = (is_int8_or_int16, output_is_a_probability, input_scale_is_in_range, vectors_are_short)


def lower(graph: Graph, op: Op) -> Lowered:
    """Lower one softmax: from int8 to Q5 differences and a fixed-point exp, from int16 to two tables."""
    before, after = graph.tensors[op.inputs[0]], graph.tensors[op.outputs[0]]
    kernel, *_ = _FORMS[before.dtype, after.dtype]
    beta = float(op.options.get("beta", 1.0))
    rows = (same_rows(graph, op.inputs[0], op.outputs[0]),)
    if before.dtype == "int16":
        return dataclasses.replace(_with_tables(before, op, beta), rows_read=rows)
    return Lowered(kernel, softmax_fields(before, beta), (), (op.inputs[0],), op.outputs[0], rows_read=rows)


def _with_tables(before: Tensor, op: Op, beta: float) -> Lowered:
    multiplier, shift = quantize_multiplier(scale_of(before) * beta / (10.0 / 65535.0))
    low, one = np.float32(10) / _RANGE * -_RANGE, np.float32(1) / _RANGE * _RANGE
    tables = {
        "exp_table": _table(np.exp, low, np.float32(0)),
        "reciprocal_table": _table(lambda x: 1 / (1 + x), np.float32(0), one),
    }
    return Lowered(
        kernel="softmax_s16",
        fields={
            "row_elements": row_shape(before)[1],
            "depth": before.shape[-1],
            "multiplier": multiplier,
            "shift": shift,
            **{name: name for name in tables},
        },
        constants=tuple(Constant(name, values, f"({values.size})") for name, values in tables.items()),
        inputs=(op.inputs[0],),
        output=op.outputs[0],
    )


def _table(
    function: Callable[[NDArray[np.float64]], NDArray[np.float64]], low: np.float32, high: np.float32
) -> NDArray[np.int16]:
    """Sample a function in Q0.15, each sample moved by half of what the line to the next is off in the middle.

    Source:
        TFLite's LUTPopulate for int16, in float32 as there: its roundings are part of the result.
    """
    step = (high - low) / np.float32(_TABLE_STEPS)
    output_step = np.float32(2) / _RANGE
    inverse = np.float32(65536) / (output_step * np.float32(32767) - output_step * np.float32(-32768))

    def at(x: NDArray[np.float32]) -> NDArray[np.float32]:
        return function(x.astype(np.float64)).astype(np.float32) * inverse

    begin = low + np.arange(_TABLE_STEPS, dtype=np.float32) * step
    end = low + np.arange(1, _TABLE_STEPS + 1, dtype=np.float32) * step
    sample = _rounded(at(begin))
    middle_of_line = _rounded((at(end) + sample) / np.float32(2))
    correction = _rounded((middle_of_line - _rounded(at(begin + step / np.float32(2)))) / np.float32(2))
    last = _rounded(at(np.array([high], np.float32)))
    table: NDArray[np.int16] = np.clip(np.concatenate([sample - correction, last]), -32768, 32767).astype(np.int16)
    return table


def _rounded(x: NDArray[np.float32]) -> NDArray[np.float32]:
    """Halves away from zero."""
    away: NDArray[np.float32] = np.trunc(x + np.copysign(np.float32(0.5), x))
    return away
