"""The stream of words that `firmware/engine/tile.dsp.h` reads: four channels at a time, all that they need in order."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edgekit.engine.cores.dsp._scaling import Scaling, clamp_fields
from edgekit.engine.lowered import Constant
from edgekit.engine.ops._convolution import window_fields
from edgekit.engine.ops._linear import Linear

CHANNELS = 4
_LAST = -(1 << 31)
# So few that words never overtake the bytes that they are widened from, in `ek_gather_pair`.
_MOST_WHOLE_ROWS = 5


def padded(depth: int) -> int:
    """Return the depth as the tile sees it: a multiple of 4.

    Example:
        >>> padded(27)
        28
    """
    return (depth + 3) // 4 * 4


def starts(channels: int) -> tuple[int, ...]:
    """Return the first channel of each block; the last block takes the last four, some of which may be in the one
    before it too.

    Example:
        >>> starts(9)
        (0, 4, 5)
    """
    return (*range(0, channels - CHANNELS, CHANNELS), channels - CHANNELS)


def stream(rows: NDArray[np.int8], scale: Scaling, *, wide: bool) -> Constant:
    """Return the blocks of a weight matrix.

    Args:
        rows: int8 weights, shape (channels, depth), at least four channels.
        scale: of each channel.
        wide: whether weights are stored as int16, twice their value; else as they are.
    """
    depth = rows.shape[1]
    padding = ((0, 0), (0, padded(depth) - depth))
    blocks = [np.pad(rows[start : start + CHANNELS], padding) for start in starts(len(rows))]
    return framed([weight_words(block, wide=wide) for block in blocks], scale, wide=wide)


def weight_words(weights: NDArray[np.int8], *, wide: bool) -> NDArray[np.int64]:
    """Return the words of weights of shape (4, a multiple of 4)."""
    # (channels, groups, 4) to the order of SXTB16: (k, k + 2), then (k + 1, k + 3).
    halves = weights.astype(np.int64).reshape(CHANNELS, -1, 2, 2).transpose(0, 1, 3, 2)
    return pair_words(halves, wide=wide)


def pair_words(pairs: NDArray[np.int64], *, wide: bool) -> NDArray[np.int64]:
    """Return the words of pairs of weights, shape (4, groups, pairs of a group, 2)."""
    return _wide_words(pairs) if wide else _narrow_words(pairs)


def framed(weights: Sequence[NDArray[np.int64]], scale: Scaling, *, wide: bool) -> Constant:
    """Return all that the tile reads.

    Args:
        weights: the words of each block of channels, as `starts` has them.
        scale: of each channel.
        wide: whether they are of doubled weights.

    Returns:
        int32 words.
    """
    begins = starts(len(scale.bias))
    back = begins[-2] + CHANNELS - begins[-1] if len(begins) > 1 else 0
    words = [] if wide else [np.array([scale.rounding_of_one, len(begins) | back << 16])]
    for place, start in enumerate(begins):
        block = slice(start, start + CHANNELS)
        if wide:
            # A block's last shift says too how far the output steps back to the next block, or that there is none.
            ends = np.stack([scale.multiplier[block], scale.rounding[block], scale.shift[block]], axis=1)
            ends[-1, -1] |= _LAST if place == len(begins) - 1 else back << 8 if place == len(begins) - 2 else 0
            words += [2 * scale.bias[block], weights[place], ends.reshape(-1)]
        else:
            shifts = (scale.shift[block] - 1) << np.array([0, 8, 16, 24])
            words += [scale.bias[block], weights[place], shifts.sum(keepdims=True), scale.multiplier[block]]
    shape = f"({len(begins)} blocks of 4 channels): biases, weights, {'scales' if wide else 'shifts, multipliers'}"
    return Constant("blocks", np.concatenate(words).astype(np.int32), shape)


def _wide_words(halves: NDArray[np.int64]) -> NDArray[np.int64]:
    """One word for each channel and pair of depths: (groups, 2, 4)."""
    pairs = 2 * halves.transpose(1, 2, 0, 3)
    return signed((pairs[..., 0] & 0xFFFF) | (pairs[..., 1] & 0xFFFF) << 16).reshape(-1)


def _narrow_words(halves: NDArray[np.int64]) -> NDArray[np.int64]:
    """One word for two channels and a pair of depths: (groups, 2, 2), bytes (a, b, a, b)."""
    byte = halves.transpose(1, 2, 0, 3).reshape(*halves.shape[1:3], 2, 2, 2) & 0xFF
    first, second = byte[..., 0, :], byte[..., 1, :]
    return signed(first[..., 0] | second[..., 0] << 8 | first[..., 1] << 16 | second[..., 1] << 24).reshape(-1)


def signed(words: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return words of 32 bits, however signed, as int32 has them."""
    return np.where(words >= 1 << 31, words - (1 << 32), words)


def has_whole_rows(layer: Linear) -> bool:
    """Return whether the rows of a window shall fill whole words: then they are widened where they lie in the input.

    That saves copies of each row, but multiplies zeros. Few channels have few of these.
    """
    channels, kernel_rows, kernel_columns, seen = layer.weights.shape
    row_bytes = kernel_columns * seen
    more = (padded(row_bytes) * kernel_rows - padded(row_bytes * kernel_rows)) // 4
    is_short = 1 < kernel_rows <= _MOST_WHOLE_ROWS and row_bytes % 4 != 0
    # Instructions for two pixels: a group of depths takes 22 a block of channels; a row, about 70 to copy.
    return is_short and 22 * more * len(starts(channels)) < 70 * kernel_rows


def whole_rows(rows: NDArray[np.int8], kernel_rows: int) -> NDArray[np.int8]:
    """Return the weights with zeros at the end of each row of the window.

    Args:
        rows: int8, shape (channels, depth).
        kernel_rows: of the window.
    """
    by_row = rows.reshape(len(rows), kernel_rows, -1)
    return np.pad(by_row, ((0, 0), (0, 0), (0, -by_row.shape[2] % 4))).reshape(len(rows), -1)


def pair_fields(layer: Linear, depth: int, blocks: str) -> dict[str, Any]:
    """Return the settings of `ek_conv_2d_pairs_layer`.

    Args:
        layer: the convolution.
        depth: of its window, with the zeros that fill rows.
        blocks: name of the constant.
    """
    channels, kernel_rows, kernel_columns, seen = layer.weights.shape
    return {
        "window": window_fields(layer, (kernel_rows, kernel_columns)),
        "blocks": blocks,
        "depth": depth,
        "whole_rows": int(depth != kernel_rows * kernel_columns * seen),
        "output_columns": layer.output.shape[2],
        "output_channels": channels,
        "pointwise": int(kernel_rows == kernel_columns == 1),
        **clamp_fields(layer),
    }
