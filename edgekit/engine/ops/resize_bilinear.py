"""RESIZE_BILINEAR. Twin: firmware/engine/resize_bilinear_s8.h."""

from __future__ import annotations

from edgekit.engine.lowered import Lowered
from edgekit.engine.ops import _move
from edgekit.engine.ops._resize import corners_or_centers, size_is_the_output
from edgekit.tflite.graph import Graph, Op

_ONE = 1 << 10


def type_is_quantized(graph: Graph, op: Op) -> str | None:
    """int8 or int16 activations"""
    dtype = graph.tensors[op.outputs[0]].dtype
    return None if dtype in ("int8", "int16") else f"activations of type {dtype}"


def samples_lie_inside(graph: Graph, op: Op) -> str | None:
    """a ratio of sizes that TFLite's 10 bits of fraction keep inside of the input"""
    for axis in (1, 2):
        size, count = (graph.tensors[index].shape[axis] for index in (op.inputs[0], op.outputs[0]))
        scale, shift = _axis(graph, op, axis)
        last = (count - 1) * scale + shift
        if last >= size * _ONE:
            return f"{size} pixels resized to {count}: the last sample lies at {last / _ONE:.3f}"
    return None


def _axis(graph: Graph, op: Op, axis: int) -> tuple[int, int]:
    """Return the input pixels between two output pixels and the position of the first one, both times 1024."""
    size, count = (graph.tensors[index].shape[axis] for index in (op.inputs[0], op.outputs[0]))
    if op.options.get("alignCorners") and count > 1:
        size, count = size - 1, count - 1
    scale = (_ONE * size + count // 2) // count
    return scale, scale // 2 - _ONE // 2 if op.options.get("halfPixelCenters") else 0


CHECKS = (
    type_is_quantized,
    *_move.CHECKS,
    size_is_the_output,
    corners_or_centers,
    samples_lie_inside,
)


def lower(graph: Graph, op: Op) -> Lowered:
    """Lower one resizing; positions are found at run time, in integers."""
    source, target = graph.tensors[op.inputs[0]], graph.tensors[op.outputs[0]]
    (row_scale, row_shift), (column_scale, column_shift) = (_axis(graph, op, axis) for axis in (1, 2))
    fields = {
        "input_rows": source.shape[1],
        "input_columns": source.shape[2],
        "output_columns": target.shape[2],
        "channels": target.shape[3],
        "row_scale": row_scale,
        "row_shift": row_shift,
        "column_scale": column_scale,
        "column_shift": column_shift,
    }
    kernel = "resize_bilinear_s8" if target.dtype == "int8" else "resize_bilinear_s16"
    return Lowered(kernel, fields, (), (source.index,), target.index)
