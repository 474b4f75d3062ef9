"""Blocks of four channels and the steps to them, as `firmware/engine/tile_blocks.dsp.h` reads them."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from edgekit.engine.cores.dsp._tile import CHANNELS, signed, weight_words
from edgekit.engine.forms.blocks._encode import BlockRow

_MOST = 127
_LAST = 128
_BLOCKS_A_WORD = 4


def flagged_steps(row: BlockRow) -> tuple[NDArray[np.int64], NDArray[np.int8]]:
    """Return for each block of 4 x 4 weights how many groups of four depths to step over, 128 more of the last one.

    There is one at least, of zeros where none is kept; blocks of pairs step over pairs.
    """
    deep = row.values.shape[2]
    steps, blocks = row.steps(deep, passed=deep, most=_MOST)
    if not len(steps):
        steps, blocks = np.zeros(1, np.int64), np.zeros((1, *row.values.shape[1:]), np.int8)
    steps[-1] |= _LAST
    return steps, blocks


def block_words(row: BlockRow, *, wide: bool) -> NDArray[np.int64]:
    """Return the words of the blocks of 4 x 4 weights that are kept of four channels.

    Args:
        row: the blocks.
        wide: whether weights are stored as int16, twice their value.
    """
    steps, blocks = flagged_steps(row)
    side_by_side = blocks.transpose(1, 0, 2).reshape(CHANNELS, -1)
    return stepped_words(steps, weight_words(side_by_side, wide=wide))


def stepped_words(steps: NDArray[np.int64], words: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return a word of the steps to each four blocks in front of their words, as many for each block."""
    by_block = words.reshape(len(steps), -1)
    parts = []
    for start in range(0, len(steps), _BLOCKS_A_WORD):
        some = slice(start, start + _BLOCKS_A_WORD)
        places = 8 * np.arange(len(steps[some]))
        parts += [signed((steps[some] << places).sum(keepdims=True)), by_block[some].reshape(-1)]
    return np.concatenate(parts)
