"""The constants of each output channel. Twin: firmware/engine/requantize_sums.mac16.h."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from edgekit.engine.lowered import Constant, activation_range, zero_point_of
from edgekit.engine.ops._linear import Linear, bias_constant, multiplier_constants

_HALF = 1 << 15
_LARGEST_SUM = 1 << 30
_LARGEST_SHIFT = 22
_OFFSET = 128  # activations are unsigned in the sums


def channels(layer: Linear, rows: NDArray[Any]) -> Constant | None:
    """Return what the kernels know of each channel, or None where they cannot scale its sums.

    Args:
        layer: the layer.
        rows: int8 weights, shape (output_channels, depth).
    """
    wide = rows.astype(np.int64)
    folded = bias_constant(layer, rows).values.astype(np.int64)
    if (np.abs(folded) + 4 * _OFFSET * np.abs(wide).sum(axis=1) + _HALF).max() >= _LARGEST_SUM:
        return None
    spread = multiplier_constants(layer, spread=True)
    multiplier, shift = spread[0].values.astype(np.int64), -spread[1].values.astype(np.int64)
    high = (multiplier + _HALF) >> 16
    if high.max() >= _HALF or shift.min() < 1 or shift.max() > _LARGEST_SHIFT:
        return None
    offset = (zero_point_of(layer.output) << shift) + (1 << (shift - 1))
    start = folded - _OFFSET * wide.sum(axis=1) + _HALF
    words = np.stack([start, multiplier - (high << 16), high, shift, offset], axis=1)
    return Constant("channels", words.astype(np.int32).reshape(-1), f"({len(words)}, {words.shape[1]})")


def output_fields(layer: Linear) -> dict[str, int]:
    """Return the fields of `ek_activations_mac16`."""
    low, high = activation_range(layer.op, layer.output)
    return {"step": layer.channels, "low": low, "high": high}
