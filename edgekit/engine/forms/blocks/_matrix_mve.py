"""Blocks of 4 x 4 weights, four at a time, as `firmware/engine/matrix_blocks.mve.h` reads them."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from edgekit.engine.cores.mve._matrix import GROUP
from edgekit.engine.forms.blocks._encode import BlockRow
from edgekit.engine.lowered import Constant

AT_ONCE = 4
_DEPTH = 4
MOST_DEPTH = _DEPTH << 16
"""What a place counts."""


def rows_of_groups(weights: NDArray[np.int8]) -> NDArray[np.int8]:
    """Return weights of shape (channels, depth) with rows of zeros behind, up to whole groups."""
    return np.pad(weights, ((0, -len(weights) % GROUP), (0, 0)))


def stored(rows: Sequence[BlockRow]) -> int:
    """Return how many blocks are taken up, with those of zeros that fill up fours."""
    return sum(_times(row) * AT_ONCE for row in rows)


def stream(rows: Sequence[BlockRow], channels: int) -> Constant:
    """Return the words of all groups of channels.

    Args:
        rows: the blocks of each, as of `rows_of_groups`.
        channels: how many there are; the last group has no weights of others.
    """
    parts: list[NDArray[np.int32]] = []
    for row in rows:
        times = _times(row)
        missing = times * AT_ONCE - len(row.places)
        places = np.pad(row.places // _DEPTH, (0, missing)).astype(np.uint16).view("<i4").reshape(times, -1)
        blocks = np.pad(row.values, ((0, missing), (0, 0), (0, 0)))[:, : channels - row.start]
        by_channel = np.ascontiguousarray(blocks.reshape(times, AT_ONCE, -1, _DEPTH).transpose(0, 2, 1, 3))
        words = by_channel.reshape(times, -1).view("<i4")
        parts += [np.array([times], np.int32), np.concatenate([places, words], axis=1).reshape(-1)]
    shape = f"({len(rows)} groups of channels): how often, places of four blocks, their weights"
    return Constant("blocks", np.concatenate(parts).astype(np.int32), shape)


def _times(row: BlockRow) -> int:
    return max(1, -(-len(row.places) // AT_ONCE))
