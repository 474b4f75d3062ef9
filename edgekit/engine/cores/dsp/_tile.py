"""The stream of words that `firmware/engine/tile.dsp.h` reads: four channels at a time, all that they need in order."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from edgekit.engine.cores.dsp._scaling import Scaling
from edgekit.engine.lowered import Constant

CHANNELS = 4
_LAST = -(1 << 31)


def padded(depth: int) -> int:
    """Return the depth as the tile sees it: a multiple of 4.

    Example:
        >>> padded(27)
        28
    """
    return (depth + 3) // 4 * 4


def stream(rows: NDArray[np.int8], scale: Scaling, *, wide: bool) -> Constant:
    """Return the blocks of a weight matrix.

    Args:
        rows: int8 weights, shape (channels, depth), at least four channels.
        scale: of each channel.
        wide: whether weights are stored as int16, twice their value; else as they are.

    Returns:
        int32 words. The last block takes the last four channels, though some may be in the block before it too.
    """
    channels, depth = rows.shape
    starts = [*range(0, channels - CHANNELS, CHANNELS), channels - CHANNELS]
    weights = np.pad(rows.astype(np.int64), ((0, 0), (0, padded(depth) - depth)))
    # (channels, groups, 4) to the order of SXTB16: (k, k + 2), then (k + 1, k + 3).
    halves = weights.reshape(channels, -1, 2, 2).transpose(0, 1, 3, 2)
    back = starts[-2] + CHANNELS - starts[-1] if len(starts) > 1 else 0
    words = [] if wide else [np.array([scale.rounding_of_one, len(starts) | back << 16])]
    for place, start in enumerate(starts):
        block = slice(start, start + CHANNELS)
        if wide:
            # A block's last shift says too how far the output steps back to the next block, or that there is none.
            ends = np.stack([scale.multiplier[block], scale.rounding[block], scale.shift[block]], axis=1)
            ends[-1, -1] |= _LAST if place == len(starts) - 1 else back << 8 if place == len(starts) - 2 else 0
            words += [2 * scale.bias[block], _wide_words(halves[block]), ends.reshape(-1)]
        else:
            shifts = (scale.shift[block] - 1) << np.array([0, 8, 16, 24])
            words += [
                scale.bias[block],
                _narrow_words(halves[block]),
                shifts.sum(keepdims=True),
                scale.multiplier[block],
            ]
    shape = f"({len(starts)} blocks of 4 channels): biases, weights, {'scales' if wide else 'shifts, multipliers'}"
    return Constant("blocks", np.concatenate(words).astype(np.int32), shape)


def _wide_words(halves: NDArray[np.int64]) -> NDArray[np.int64]:
    """One word for each channel and pair of depths: (groups, 2, 4)."""
    pairs = 2 * halves.transpose(1, 2, 0, 3)
    return _signed((pairs[..., 0] & 0xFFFF) | (pairs[..., 1] & 0xFFFF) << 16).reshape(-1)


def _narrow_words(halves: NDArray[np.int64]) -> NDArray[np.int64]:
    """One word for two channels and a pair of depths: (groups, 2, 2), bytes (a, b, a, b)."""
    byte = halves.transpose(1, 2, 0, 3).reshape(*halves.shape[1:3], 2, 2, 2) & 0xFF
    first, second = byte[..., 0, :], byte[..., 1, :]
    return _signed(first[..., 0] | second[..., 0] << 8 | first[..., 1] << 16 | second[..., 1] << 24).reshape(-1)


def _signed(words: NDArray[np.int64]) -> NDArray[np.int64]:
    return np.where(words >= 1 << 31, words - (1 << 32), words)
