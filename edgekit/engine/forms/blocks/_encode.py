"""Which blocks of a weight matrix are kept, and the steps from one to the next."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edgekit.engine.forms.blocks.shape import BlockShape

MOST_STEP = 255
"""What a byte holds."""


@dataclass(frozen=True, slots=True, eq=False)
class BlockRow:
    """The blocks that are kept of some output channels side by side.

    Attributes:
        start: the first of these channels.
        places: the depths at which blocks begin, ascending; int64, shape (kept).
        values: int8, shape (kept, channels of a block, depth of a block).
    """

    start: int
    places: NDArray[np.int64]
    values: NDArray[np.int8]

    def steps(
        self, unit: int, *, passed: int = 0, begin: int = 0, most: int = MOST_STEP
    ) -> tuple[NDArray[np.int64], NDArray[np.int8]]:
        """Return how far a kernel's pointer steps to each block, and the blocks.

        A gap too long for one step is bridged by blocks of zeros: a kernel needs no escape.

        Args:
            unit: depths to which a step of 1 moves; all places are multiples of it.
            passed: depths that the pointer has moved on while it was in a block.
            begin: depth at which the pointer stands at first; -unit makes every step at least 1.
            most: the longest step, at least as far as a kernel passes.

        Returns:
            Steps, int64, shape (n), and blocks, int8, shape (n, channels, depth).

        Example:
            >>> row = BlockRow(0, np.array([4, 24]), np.ones((2, 1, 4), np.int8))
            >>> row.steps(4, most=3)[0].tolist(), row.steps(4, most=3)[1][:, 0, 0].tolist()
            ([1, 3, 2], [1, 0, 1])
        """
        gaps = (np.diff(self.places, prepend=begin - passed) - passed) // unit
        reach = most + passed // unit
        bridges = np.maximum(-((most - gaps) // reach), 0)
        ends = np.cumsum(bridges + 1) - 1
        steps = np.full(len(gaps) + int(bridges.sum()), most, np.int64)
        steps[ends] = gaps - bridges * reach
        # A last bridge that would pass the block is shorter.
        beyond = np.minimum(steps, 0)
        steps[:-1] += beyond[1:]
        steps -= beyond
        values = np.zeros((len(steps), *self.values.shape[1:]), np.int8)
        values[ends] = self.values
        return steps, values


def block_rows(weights: NDArray[np.int8], shape: BlockShape, *, alignment: int | None = None) -> tuple[BlockRow, ...]:
    """Return the blocks that hold all weights that are not 0, and no more of them than it takes.

    Args:
        weights: int8, shape (channels, depth).
        shape: of a block.
        alignment: depths of which a block begins at a multiple, at most that of a block; None: that of a block. With
            less than that, blocks begin where weights do, which keeps fewer of them where weights are not pruned in
            blocks.

    Returns:
        One for each `shape.channels` channels, the last one of the last so many, though some may be in the row before
        it too. Zeros stand behind where the matrix ends within a block; it needs not have as many channels as one.

    Example:
        >>> weights = np.array([[0, 0, 0, 5, 0, 0], [0, 0, 0, 0, 6, 0]], np.int8)
        >>> [row.places.tolist() for row in block_rows(weights, BlockShape(2, 2))]
        [[2, 4]]
        >>> [row.places.tolist() for row in block_rows(weights, BlockShape(2, 2), alignment=1)]
        [[3]]
    """
    high, deep = shape.channels, shape.depth
    channels, depth = weights.shape
    # Behind the last depth as much as a block may reach beyond it.
    padded = np.pad(weights, ((0, max(high - channels, 0)), (0, deep + -depth % deep)))
    starts = [*range(0, len(padded) - high, high), len(padded) - high]
    rows = []
    for start in starts:
        group = padded[start : start + high]
        places = _places((group != 0).any(axis=0), deep, alignment or deep)
        rows.append(BlockRow(start, places, group[:, places[:, None] + np.arange(deep)].transpose(1, 0, 2)))
    return tuple(rows)


def kept(rows: Sequence[BlockRow]) -> int:
    """Return how many blocks there are in all.

    Example:
        >>> kept(block_rows(np.eye(8, dtype=np.int8), BlockShape(4, 4)))
        2
    """
    return sum(len(row.places) for row in rows)


def is_full(rows: Sequence[BlockRow], depth: int) -> bool:
    """Return whether no block of these rows is left out.

    Example:
        >>> is_full(block_rows(np.eye(8, dtype=np.int8), BlockShape(4, 8)), 8)
        True
    """
    return all(len(row.places) * row.values.shape[2] >= depth for row in rows)


def _places(used: NDArray[Any], deep: int, alignment: int) -> NDArray[np.int64]:
    """Where blocks begin that cover all depths used: each as far behind as its first one allows."""
    if alignment == deep:
        return np.flatnonzero(used[: len(used) // deep * deep].reshape(-1, deep).any(axis=1)) * deep
    places: list[int] = []
    for depth in np.flatnonzero(used).tolist():
        if not places or depth >= places[-1] + deep:
            places.append(depth // alignment * alignment)
    return np.array(places, np.int64)
