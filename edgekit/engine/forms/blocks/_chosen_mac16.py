"""Two of each four depths that channels share, as `firmware/engine/conv_2d_chosen.mac16.h` picks them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

_CHANNELS = 4
"""That share at least."""
_GROUP = 4
_KEPT = 2


@dataclass(frozen=True, slots=True, eq=False)
class Chosen:
    """The weights that are kept.

    Attributes:
        choices: of each four depths 4 * the first that is kept + the second; uint8, shape (channels / sharing, groups).
        rows: int8, shape (channels, 2 * groups).
        sharing: how many channels have the same choices.
    """

    choices: NDArray[np.uint8]
    rows: NDArray[np.int8]
    sharing: int

    @property
    def fours(self) -> int:
        """A fourth of the products of one output, rounded up."""
        depth: int = self.rows.shape[1]
        return -(-depth // 4)


def chosen(weights: NDArray[np.int8]) -> Chosen | None:
    """Return two of each four depths; None where four channels do not share them, or channels are left over.

    Args:
        weights: int8, shape (channels, depth), in the order in which the kernel has the activations.

    Example:
        >>> found = chosen(np.array([[0, 5, 0, 6, 7]] * 3 + [[0, 8, 0, 0, 9]], np.int8))
        >>> found.choices.tolist(), found.rows[2:].tolist(), found.sharing
        ([[7, 1]], [[5, 6, 7, 0], [8, 0, 9, 0]], 4)
    """
    channels, depth = weights.shape
    groups = np.pad(weights, ((0, 0), (0, -depth % _GROUP))).reshape(channels, -1, _GROUP)
    used = groups != 0
    if not _fit(used, _CHANNELS):
        return None
    sharing = max(number for number in range(_CHANNELS, channels + 1, _CHANNELS) if _fit(used, number))
    # Those in use first; where there are fewer, any others, whose weights are 0.
    order = np.argsort(~_shared(used, sharing), axis=2, kind="stable")
    kept = np.sort(order[:, :, :_KEPT], axis=2)
    rows = np.take_along_axis(groups, np.repeat(kept, sharing, axis=0), axis=2).reshape(channels, -1)
    return Chosen((kept @ (_GROUP, 1)).astype(np.uint8), rows, sharing)


def _fit(used: NDArray[np.bool_], sharing: int) -> bool:
    return len(used) % sharing == 0 and bool((_shared(used, sharing).sum(axis=2) <= _KEPT).all())


def _shared(used: NDArray[np.bool_], sharing: int) -> NDArray[np.bool_]:
    """Which depths of each group some of so many channels use, shape (channels / sharing, groups, 4)."""
    shared: NDArray[np.bool_] = np.logical_or.reduce(used.reshape(-1, sharing, *used.shape[1:]), axis=1)
    return shared
