"""The constants of each output channel. Twin: firmware/engine/requantize_sums.mac16.h."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from edgekit.engine.cores.mac16 import _line
from edgekit.engine.lowered import Constant, activation_range, zero_point_of
from edgekit.engine.ops._linear import Linear, bias_constant, multiplier_constants

_HALF = 1 << 15
_LARGEST_SUM = 1 << 30
_LARGEST_SHIFT = 22
_OFFSET = 128  # activations are unsigned in the sums
_NO_LINE = (1, 0)  # no sum lies between them


def channels(layer: Linear, rows: NDArray[Any], *, compact: bool = False, held: int = 1 << 31) -> Constant | None:
    """Return what the kernels know of each channel, or None where they cannot scale its sums.

    Args:
        layer: the layer.
        rows: int8 weights, shape (output_channels, depth).
        compact: in 3 words a channel, not 7.
        held: the magnitude below which a kernel holds whole sums.
    """
    wide = rows.astype(np.int64)
    folded = bias_constant(layer, rows).values.astype(np.int64)
    if (np.abs(folded) + 4 * _OFFSET * np.abs(wide).sum(axis=1) + _HALF).max() >= _LARGEST_SUM:
        return None
    spread = multiplier_constants(layer, spread=True)
    multiplier, shift = spread[0].values.astype(np.int64), -spread[1].values.astype(np.int64)
    if (multiplier + _HALF).max() >> 16 >= _HALF or shift.min() < 1 or shift.max() > _LARGEST_SHIFT:
        return None
    start = folded - _OFFSET * wide.sum(axis=1)
    write = _compact_words if compact else _words
    words = [write(layer, *map(int, one)) for one in zip(start, multiplier, shift, strict=True)]
    starts = np.array([one[0] for one in words], np.int64) + _OFFSET * wide.sum(axis=1)
    if (np.abs(starts) + _OFFSET * np.abs(wide).sum(axis=1)).max() >= held:
        return None
    shape = f"({len(words)}, {len(words[0])})"
    return Constant("channels", np.array(words, np.int64).astype(np.uint32).view(np.int32).reshape(-1), shape)


def _words(layer: Linear, start: int, multiplier: int, shift: int) -> tuple[int, ...]:
    """The constants of one channel, whose sums start with `start`."""
    zero_point = zero_point_of(layer.output)
    line = _line.find(multiplier, shift, zero_point, activation_range(layer.op, layer.output))
    if line is not None:
        return (start - line.middle, line.fraction, line.whole, line.bits, line.offset, *line.reach)
    high = (multiplier + _HALF) >> 16
    offset = (zero_point << shift) + (1 << (shift - 1))
    return (start + _HALF, multiplier - (high << 16), high, shift, offset, *_NO_LINE)


def _compact_words(layer: Linear, start: int, multiplier: int, shift: int) -> tuple[int, ...]:
    """The same in less memory."""
    clamps = activation_range(layer.op, layer.output)
    line = _line.find_compact(multiplier, shift, zero_point_of(layer.output), clamps)
    if line is not None:
        return (start - line.middle, *_line.words(line, clamps))
    return (start + _HALF, multiplier, shift)


def output_fields(layer: Linear) -> dict[str, int]:
    """Return the fields of `ek_activations_mac16`."""
    low, high = activation_range(layer.op, layer.output)
    return {"step": layer.channels, "low": low, "high": high, "zero_point": zero_point_of(layer.output)}
