"""What operators of one tensor share."""

from __future__ import annotations

from edgekit.engine.lowered import Lowered, row_shape, same_rows, scale_of, zero_point_of
from edgekit.engine.multiplier import quantize_multiplier
from edgekit.engine.ops._checks import all_of, shape_is_kept
from edgekit.engine.ops._fixed_point import clamped, requantize
from edgekit.engine.ops._table import lower_table
from edgekit.tflite.graph import Graph, Op, Tensor

INT8 = (shape_is_kept, all_of("int8"))
INT8_OR_INT16 = (shape_is_kept, all_of("int8", "int16"))
LIMITS = {"int8": (-128, 127), "int16": (-32768, 32767), "int32": (-(2**31), 2**31 - 1)}


def before_after(graph: Graph, op: Op) -> tuple[Tensor, Tensor]:
    """Return the input and the output."""
    return graph.tensors[op.inputs[0]], graph.tensors[op.outputs[0]]


def lower_s16(graph: Graph, op: Op, kernel: str, fields: dict[str, int]) -> Lowered:
    """Lower to a kernel whose layer starts with the elements of a row."""
    output = graph.tensors[op.outputs[0]]
    return Lowered(
        kernel,
        {"row_elements": row_shape(output)[1], **fields},
        (),
        (op.inputs[0],),
        output.index,
        rows_read=(same_rows(graph, op.inputs[0], output.index),),
    )


def lower_linear(
    graph: Graph,
    op: Op,
    positive: float,
    negative: float,
    limits: tuple[int, int] | None = None,
    *,
    mirrored: bool = False,
) -> Lowered:
    """Lower a function of two straight lines that meet at zero.

    Args:
        graph, op: the operator.
        positive: factor from zero on, scales included.
        negative: factor below zero, which may be below zero itself.
        limits: of the output's codes, where they are not those of its type.
        mirrored: below zero the magnitude is scaled, not the value: another rounding.
    """
    before, after = before_after(graph, op)
    multiplier, shift = quantize_multiplier(positive)
    negative_multiplier, negative_shift = quantize_multiplier(abs(negative))
    low, high = limits or LIMITS[after.dtype]
    inner, outer = -1 if mirrored else 1, -1 if (negative < 0) != mirrored else 1
    zero_point, output_zero_point = zero_point_of(before), zero_point_of(after)
    if before.dtype == "int16":
        fields = {
            "multiplier": multiplier,
            "shift": shift,
            "negative_inner": inner,
            "negative_multiplier": negative_multiplier,
            "negative_shift": negative_shift,
            "negative_outer": outer,
            "lowest": low,
            "highest": high,
        }
        return lower_s16(graph, op, "linear_s16", fields)

    def value(code: int) -> int:
        x = code - zero_point
        below = outer * requantize(inner * x, negative_multiplier, negative_shift)
        return clamped((below if x < 0 else requantize(x, multiplier, shift)) + output_zero_point, low, high)

    return lower_table(graph, op, value)


def ratio_of_scales(graph: Graph, op: Op) -> float:
    """Return input scale / output scale."""
    before, after = before_after(graph, op)
    return scale_of(before) / scale_of(after)
