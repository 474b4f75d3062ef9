"""QUANTIZE from integers to integers. Twins: firmware/engine/table_s8.h, quantize.h."""

from __future__ import annotations

from edgekit.engine.lowered import Lowered, row_shape, same_rows, scale_of, zero_point_of
from edgekit.engine.multiplier import quantize_multiplier
from edgekit.engine.ops import _unary
from edgekit.engine.ops._checks import shape_is_kept
from edgekit.engine.ops._fixed_point import clamped, requantize
from edgekit.engine.ops._table import lower_table
from edgekit.tflite.graph import Graph, Op

_BYTES = {"int8": 1, "int16": 2, "int32": 4}


def types_are_integers(graph: Graph, op: Op) -> str | None:
    """among int8, int16 and int32, but not from int32 to int32, one scale each"""
    before, after = _unary.before_after(graph, op)
    if before.dtype not in _BYTES or after.dtype not in _BYTES or before.dtype == after.dtype == "int32":
        return f"{before.dtype} to {after.dtype}"
    for tensor in (before, after):
        if tensor.quant is None or len(tensor.quant.scale) != 1:
            return f"tensor {tensor.name!r} has no single scale"
    return None


def zero_points_are_small(graph: Graph, op: Op) -> str | None:
    """zero points within int8, and 0 in int16 and int32"""
    for tensor in _unary.before_after(graph, op):
        low, high = (-128, 127) if tensor.dtype == "int8" else (0, 0)
        if not low <= zero_point_of(tensor) <= high:
            return f"tensor {tensor.name!r} is {tensor.dtype} with zero point {zero_point_of(tensor)}"
    return None


def results_fit(graph: Graph, op: Op) -> str | None:
    """an input scale below the output's times 2^22 (from int8), 2^15 (from int16) or 1/2 (from int32)"""
    before, after = _unary.before_after(graph, op)
    ratio = scale_of(before) / scale_of(after)
    return None if ratio < {"int8": 2**22, "int16": 2**15, "int32": 0.5}[before.dtype] else f"a ratio of {ratio:g}"


CHECKS = (shape_is_kept, types_are_integers, zero_points_are_small, results_fit)


def lower(graph: Graph, op: Op) -> Lowered:
    """Lower one change of scale, zero point or type."""
    before, after = _unary.before_after(graph, op)
    multiplier, shift = quantize_multiplier(scale_of(before) / scale_of(after))
    low, high = _unary.LIMITS[after.dtype]
    zero_points = zero_point_of(before), zero_point_of(after)
    if before.dtype == after.dtype == "int8":
        return lower_table(
            graph,
            op,
            lambda code: clamped(requantize(code - zero_points[0], multiplier, shift) + zero_points[1], low, high),
        )
    fields = {
        "row_elements": row_shape(after)[1],
        "input_bytes": _BYTES[before.dtype],
        "output_bytes": _BYTES[after.dtype],
        "input_zero_point": zero_points[0],
        "multiplier": multiplier,
        "shift": shift,
        "output_zero_point": zero_points[1],
        "lowest": low,
        "highest": high,
    }
    rows = (same_rows(graph, before.index, after.index),)
    return Lowered("quantize", fields, (), (before.index,), after.index, rows_read=rows)
