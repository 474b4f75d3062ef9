"""The words of each channel that `firmware/engine/strip.dsp.h` reads: weights of a 3x3 window, and the scaling."""

from __future__ import annotations

import itertools

import numpy as np
from numpy.typing import NDArray

from edgekit.engine.cores.dsp._scaling import Scaling
from edgekit.engine.lowered import Constant

CHANNELS = 4
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
    starts = [*range(0, channels - CHANNELS, CHANNELS), channels - CHANNELS]
    order = np.array([start + place for start in starts for place in _ORDER])
    # The step to the output of the next channel.
    steps = [second - first for first, second in itertools.pairwise(_ORDER)]
    flags = np.array([*(step << 8 for step in steps), 0] * len(starts), np.int64)
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


def channel_bytes(weights: NDArray[np.int8], scale: Scaling) -> tuple[Constant, ...]:
    """Return the same as `channel_words`, in the size that weights have; the kernel widens four channels at a time."""
    channels = weights.shape[2]
    # Two words that SXTB16 splits into the pairs of `channel_words`, and the last weight.
    places = ((0, 0), (0, 1), (1, 0), (1, 1), (0, 2), (2, 0), (1, 2), (2, 1), (2, 2))
    by_channel = np.stack([weights[place] for place in places], axis=1)
    scales = np.stack([2 * scale.bias, scale.multiplier], axis=1)
    return (
        Constant("weights", by_channel.reshape(-1), f"({channels}, 9)"),
        Constant("scales", scales.reshape(-1).astype(np.int32), f"({channels}, 2): twice the bias, multiplier"),
        Constant("shifts", scale.shift.astype(np.int8), f"({channels})"),
    )


def _pair(low: NDArray[np.int64], high: NDArray[np.int64]) -> NDArray[np.int64]:
    return high * 65536 + (low & 0xFFFF)
