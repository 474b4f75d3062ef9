"""Weights of 4 bits. Twin: firmware/engine/unpack_int4.h."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from edgekit.engine.lowered import Constant
from edgekit.engine.packings import Packed


def pack(weights: NDArray[np.int8], unit: int) -> Packed | None:
    """Pack weights in -8..7, two a byte, the first in its low half; see `edgekit.engine.packings.Packing`.

    Example:
        >>> pack(np.array([1, 2, -1], np.int8), 3).codes.values.tolist()
        [33, 15]
    """
    if weights.min() < -8 or weights.max() > 7:
        return None
    halves = weights.reshape(-1, unit).view(np.uint8) & 0x0F
    halves = np.pad(halves, ((0, 0), (0, unit % 2)))
    codes = halves[:, 0::2] | halves[:, 1::2] << 4
    return Packed("int4", Constant("codes", codes.reshape(-1), f"({len(halves)} units of {unit})"), None)
