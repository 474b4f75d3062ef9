"""MEAN over rows and columns. Twin: firmware/engine/mean_s8.h."""

from __future__ import annotations

from edgekit.engine.lowered import Lowered, activations_are_int8, scale_of, zero_point_of
from edgekit.engine.multiplier import quantize_multiplier
from edgekit.tflite.graph import Graph, Op


def is_over_rows_and_columns(graph: Graph, op: Op) -> str | None:
    """the mean of an image (1, height, width, channels) over axes 1 and 2"""
    shape, axes = graph.tensors[op.inputs[0]].shape, graph.tensors[op.inputs[1]].data
    if len(shape) != 4 or shape[0] != 1 or axes is None:
        return f"shape {list(shape)}"
    over = sorted(int(axis) % 4 for axis in axes.reshape(-1))
    return None if over == [1, 2] else f"axes {over}"


CHECKS = (activations_are_int8, is_over_rows_and_columns)


def lower(graph: Graph, op: Op) -> Lowered:
    """Lower one mean; the division by the count becomes part of the multiplier, truncated as TFLite does it."""
    before, after = graph.tensors[op.inputs[0]], graph.tensors[op.outputs[0]]
    _, rows, columns, channels = before.shape
    multiplier, shift = quantize_multiplier(scale_of(before) / scale_of(after))
    count = rows * columns
    bits = min(count.bit_length() - 1, 32, 31 + shift)
    return Lowered(
        kernel="mean_s8",
        fields={
            "input_rows": rows,
            "input_columns": columns,
            "channels": channels,
            "input_zero_point": zero_point_of(before),
            "multiplier": (multiplier << bits) // count,
            "shift": shift - bits,
            "output_zero_point": zero_point_of(after),
        },
        constants=(),
        inputs=(op.inputs[0],),
        output=op.outputs[0],
    )
