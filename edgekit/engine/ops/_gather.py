"""What operators that pick slices by position share. Twin: firmware/engine/gather.h."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from edgekit.engine.lowered import Lowered
from edgekit.tflite.graph import Op, Tensor


@dataclass(frozen=True, slots=True)
class Picked:
    """Which tensors an operator picks from and with.

    Attributes:
        source: tensor picked from.
        positions: tensor of int32 positions.
        axis: of the source, from 0.
        batch_dims: leading dimensions that both tensors share.
    """

    source: Tensor
    positions: Tensor
    axis: int
    batch_dims: int


def fault(picked: Picked, output: Tensor) -> str | None:
    """Return why a pick cannot be lowered, or None."""
    source, positions = picked.source.shape, picked.positions.shape
    axis, batch = picked.axis, picked.batch_dims
    if picked.positions.dtype != "int32":
        return f"positions of type {picked.positions.dtype}"
    if not 0 <= batch <= min(axis, len(positions)) or axis >= len(source):
        return f"axis {axis} and {batch} batch dimensions of {len(source)}"
    if source[:batch] != positions[:batch] or output.shape != source[:axis] + positions[batch:] + source[axis + 1 :]:
        return f"{list(source)} at positions {list(positions)} to {list(output.shape)}"
    data = picked.positions.data
    if data is not None and (data.min() < 0 or data.max() >= source[axis]):
        return f"positions {int(data.min())} to {int(data.max())} on an axis of size {source[axis]}"
    return None


def lower(op: Op, picked: Picked) -> Lowered:
    """Lower a pick; positions may be computed."""
    source, axis, batch = picked.source.shape, picked.axis, picked.batch_dims
    fields = {
        "slice_bytes": _product(source[axis + 1 :]) * np.dtype(picked.source.dtype).itemsize,
        "axis_size": source[axis],
        "positions": _product(picked.positions.shape[batch:]),
        "outer": _product(source[batch:axis]),
    }
    return Lowered("gather", fields, (), (picked.source.index, picked.positions.index), op.outputs[0])


def _product(sizes: tuple[int, ...]) -> int:
    return int(np.prod(sizes, dtype=np.int64))
