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
    pairs = [pair_words(block.astype(np.int64)[:, None, None, :], wide=wide) for block in blocks]
    return stepped_words(steps, pairs)


def _pair_row(start: int, weights: NDArray[np.int8]) -> BlockRow:
    groups = weights.reshape(CHANNELS, -1, _GROUP)
    places, values = [], []
    for place, used in enumerate((groups != 0).any(axis=0)):
        for number in _covering(set(np.flatnonzero(used).tolist())):
            places.append(2 * (len(_PAIRS) * place + number))
            values.append(groups[:, place, _PAIRS[number]])
    blocks = np.array(values, np.int8).reshape(-1, CHANNELS, 2)
    return BlockRow(start, np.array(places, np.int64), blocks)


def _covering(used: set[int]) -> tuple[int, ...]:
    """Which pairs hold some of four depths."""
    if not used:
        return ()
    one = [number for number, pair in enumerate(_PAIRS) if used <= set(pair)]
    return (one[0],) if one else (0, 1)
