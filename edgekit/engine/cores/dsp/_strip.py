"""The words of each channel that `firmware/engine/strip.dsp.h` reads: weights of a 3x3 window, and the scaling."""

from __future__ import annotations

import itertools

import numpy as np
from numpy.typing import NDArray

from edgekit.engine.cores.dsp._scaling import Scaling
from edgekit.engine.cores.dsp._tile import starts
from edgekit.engine.lowered import Constant

STRIP_BYTES = 48
"""Of two columns of four channels."""
BLOCK_BYTES = 144
"""Of the words of four channels."""
# SXTB16 widens four channels in this order.
_ORDER = (0, 2, 1, 3)


def column_pairs(outputs: int, stride: int) -> int:
    """Return how many times two columns a row of outputs looks at, with those that a lone last output needs.

    Example:
        >>> column_pairs(5, 1), column_pairs(4, 1), column_pairs(4, 2)
        (4, 3, 5)
    """
    return outputs + 1 if stride == 2 else outputs // 2 + 1 + outputs % 2


def channel_words(weights: NDArray[np.int8], scale: Scaling) -> Constant:
    """Return the words of all channels, in blocks of four; the last block takes the last four.

    Args:
        weights: int8, shape (3, 3, channels), at least four channels.
        scale: of each channel.
    """
    channels = weights.shape[2]
    begins = starts(channels)
    order = np.array([start + place for start in begins for place in _ORDER])
    # The step to the output of the next channel.
    steps = [second - first for first, second in itertools.pairwise(_ORDER)]
    flags = np.array([*(step << 8 for step in steps), 0] * len(begins), np.int64)
    doubled = 2 * weights.astype(np.int64)
    words = [
        *(_pair(doubled[0, column], doubled[1, column]) for column in range(3)),
        _pair(doubled[2, 0], doubled[2, 1]),
        _pair(doubled[2, 1], doubled[2, 2]),
        2 * scale.bias,
        scale.multiplier,
        scale.rounding,
        scale.shift,
    ]
    by_channel = np.stack(words, axis=1)[order]
    by_channel[:, -1] += flags
    shape = f"({len(order)} channels, 9): weights in pairs, bias, multiplier, rounding, shift"
    return Constant("channels", by_channel.reshape(-1).astype(np.int32), shape)


def taps(weights: NDArray[np.int8]) -> NDArray[np.int8]:
    """Return the weights as `firmware/engine/taps.dsp.h` reads bytes: shape (channels, 9).

    Args:
        weights: int8, shape (3, 3, channels).
    """
    # Two words that SXTB16 splits into the pairs of `channel_words`, and the last weight.
    places = ((0, 0), (0, 1), (1, 0), (1, 1), (0, 2), (2, 0), (1, 2), (2, 1), (2, 2))
    return np.stack([weights[place] for place in places], axis=1)


def tap_blocks(weights: NDArray[np.int8]) -> NDArray[np.int8]:
    """Return the weights as `firmware/engine/taps.dsp.h` reads codes of 4 bits: shape (blocks, 36).

    A block has four channels in the order of the strip: of each the low halves of its first four words, then their high
    halves; behind all of them their last weights. The last block takes the last four channels.

    Args:
        weights: int8, shape (3, 3, channels), at least four channels.
    """
    channels = weights.shape[2]
    begins = starts(channels)
    by_channel = taps(weights)
    halves, last = by_channel[:, (0, 1, 4, 5, 2, 3, 6, 7)], by_channel[:, 8]
    orders = [start + np.array(_ORDER) for start in begins]
    return np.stack([np.concatenate([halves[order].reshape(-1), last[order]]) for order in orders])


def channel_scales(scale: Scaling) -> tuple[Constant, Constant]:
    """Return what the kernel reads beside weights that are no words of `channel_words`."""
    scales = np.stack([2 * scale.bias, scale.multiplier], axis=1)
    channels = len(scales)
    return (
        Constant("scales", scales.reshape(-1).astype(np.int32), f"({channels}, 2): twice the bias, multiplier"),
        Constant("shifts", scale.shift.astype(np.int8), f"({channels})"),
    )


def _pair(low: NDArray[np.int64], high: NDArray[np.int64]) -> NDArray[np.int64]:
    return high * 65536 + (low & 0xFFFF)
