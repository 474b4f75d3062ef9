"""How large the blocks are that the kernels of a core skip: training prunes in them, the encoder looks for them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class BlockShape:
    """A block of weights that is stored, or skipped, as a whole.

    Attributes:
        channels: output channels side by side; a block begins at a multiple of them.
        depth: weights of each of these channels that follow each other in the flatbuffer's order, which is (rows,
            columns, inputs) for a convolution and (inputs) for a fully connected layer; it begins at a multiple of it.
    """

    channels: int
    depth: int


PORTABLE = BlockShape(channels=4, depth=1)
"""Of the kernels in plain C."""

_OF_FEATURE: Mapping[str, BlockShape] = {
    "dsp": BlockShape(channels=4, depth=4),
    "mac16": BlockShape(channels=1, depth=4),
    "mve": BlockShape(channels=4, depth=4),
    "rv32": BlockShape(channels=4, depth=1),
}


def block_shape(features: Sequence[str]) -> BlockShape:
    """Return the blocks that a core's kernels profit from.

    Args:
        features: of the core, best first.

    Returns:
        Those of the first feature that has kernels for blocks; the portable ones where none has.

    Example:
        >>> block_shape(("mve", "dsp"))
        BlockShape(channels=4, depth=4)
    """
    return next((_OF_FEATURE[feature] for feature in features if feature in _OF_FEATURE), PORTABLE)
