"""Weights of 4 bits. Twin: firmware/engine/unpack_int4.h."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from edgekit.engine.lowered import Constant
from edgekit.engine.packings import Packed, halves


def pack(weights: NDArray[np.int8], unit: int) -> Packed | None:
    """Pack weights in -8..7, two a byte, the first in its low half; see `edgekit.engine.packings.Packing`.

    Example:
        >>> pack(np.array([1, 2, -1], np.int8), 3).codes.values.tolist()
        [33, 15]
    """
    if weights.min() < -8 or weights.max() > 7:
        return None
    codes = halves(weights.view(np.uint8) & np.uint8(0x0F), unit)
    return Packed("int4", Constant("codes", codes, f"{len(weights)} values of 4 bits"), None)
