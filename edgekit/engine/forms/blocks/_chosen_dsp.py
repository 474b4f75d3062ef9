"""Pairs of depths that four channels share, as `firmware/engine/tile_chosen.dsp.h` reads them: two of four, for one."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from edgekit.engine.cores.dsp._tile import CHANNELS, padded, pair_words, starts
from edgekit.engine.forms.blocks._encode import BlockRow
from edgekit.engine.forms.blocks._tile_dsp import flagged_steps, stepped_words

SPREAD_BYTES = 12
"""Of two pixels, in all pairs, for each depth."""
_GROUP = 4
# Two of them hold all depths of a group.
_PAIRS = ((0, 2), (1, 3), (0, 1), (2, 3), (0, 3), (1, 2))


def _covering(used: int) -> tuple[int, int]:
    """Which pairs hold the depths of a group that are bits of `used`; -1 where it takes fewer than two."""
    depths = {depth for depth in range(_GROUP) if used >> depth & 1}
    one = [number for number, pair in enumerate(_PAIRS) if depths <= set(pair)]
    return (one[0] if depths else -1, -1) if one else (0, 1)


_COVERING = np.array([_covering(used) for used in range(1 << _GROUP)])


def pair_rows(weights: NDArray[np.int8]) -> tuple[BlockRow, ...]:
    """Return the pairs that hold all weights that are not 0: none, one or two of each four depths.

    Args:
        weights: int8, shape (channels, depth), at least four channels.

    Returns:
        For each four channels, as `starts` has them, blocks of 4 x 2; pair p of group g is at place 2 * (6 * g + p).

    Example:
        >>> [row.places.tolist() for row in pair_rows(np.array([[0, 1, 1, 0, 3, 0, 3, 3]] * 4, np.int8))]
        [[10, 12, 14]]
    """
    channels, depth = weights.shape
    wide = np.pad(weights, ((0, 0), (0, padded(depth) - depth)))
    return tuple(_pair_row(start, wide[start : start + CHANNELS]) for start in starts(channels))


def chosen_words(row: BlockRow, *, wide: bool) -> NDArray[np.int64]:
    """Return the words of the pairs of four channels; `wide`: weights are stored as int16, twice their value."""
    steps, blocks = flagged_steps(row)
    pairs = blocks.astype(np.int64).transpose(1, 0, 2)[:, :, None, :]
    return stepped_words(steps, pair_words(pairs, wide=wide))


def _pair_row(start: int, weights: NDArray[np.int8]) -> BlockRow:
    groups = weights.reshape(CHANNELS, -1, _GROUP)
    used = (groups != 0).any(axis=0) @ (1 << np.arange(_GROUP))
    numbers = _COVERING[used]
    group, which = np.nonzero(numbers >= 0)
    number = numbers[group, which]
    values = groups[:, group[:, None], np.array(_PAIRS)[number]]
    return BlockRow(start, 2 * (len(_PAIRS) * group + number), values.transpose(1, 0, 2))
