"""RESIZE_NEAREST_NEIGHBOR. Twin: firmware/engine/resize_nearest_neighbor_s8.h."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from edgekit.engine.lowered import Constant, Lowered
from edgekit.engine.ops import _move
from edgekit.engine.ops._resize import size_is_the_output
from edgekit.tflite.graph import Graph, Op

CHECKS = (*_move.CHECKS, size_is_the_output)


def nearest(before: int, after: int, *, align_corners: bool, half_pixel_centers: bool) -> NDArray[np.int16]:
    """Return the input position of each output position along one axis, as TFLite finds it in float32."""
    last = align_corners and after > 1
    scale = np.float32(before - 1 if last else before) / np.float32(after - 1 if last else after)
    place = (np.arange(after, dtype=np.float32) + np.float32(0.5 if half_pixel_centers else 0.0)) * scale
    # Halves are rounded away from zero.
    whole = np.trunc(place + np.float32(0.5)) if align_corners else np.floor(place)
    positions: NDArray[np.int16] = np.minimum(whole, before - 1).astype(np.int16)
    return positions


def lower(graph: Graph, op: Op) -> Lowered:
    """Lower one resizing to tables of the input's rows and columns."""
    source, target = graph.tensors[op.inputs[0]], graph.tensors[op.outputs[0]]
    rows, columns = (
        nearest(
            source.shape[axis],
            target.shape[axis],
            align_corners=bool(op.options.get("alignCorners")),
            half_pixel_centers=bool(op.options.get("halfPixelCenters")),
        )
        for axis in (1, 2)
    )
    fields = {
        "rows": "rows",
        "columns": "columns",
        "output_columns": target.shape[2],
        "pixel_bytes": target.shape[3] * np.dtype(target.dtype).itemsize,
    }
    constants = (Constant("rows", rows, f"({len(rows)})"), Constant("columns", columns, f"({len(columns)})"))
    return Lowered("resize_nearest_neighbor_s8", fields, constants, (source.index,), target.index)
