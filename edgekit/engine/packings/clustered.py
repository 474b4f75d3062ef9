"""At most 16 different weights: a table of them, and codes of 4 bits. Twin: firmware/engine/unpack_clustered.h."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from edgekit.engine.lowered import Constant
from edgekit.engine.packings import Packed, halves

_MOST = 16


def pack(weights: NDArray[np.int8], unit: int) -> Packed | None:
    """Pack weights of at most 16 values, two codes a byte; see `edgekit.engine.packings.Packing`.

    Example:
        >>> made = pack(np.array([-90, 50, 50], np.int8), 3)
        >>> made.values.values.tolist(), made.codes.values.tolist()
        ([-90, 50], [16, 1])
    """
    known = np.unique(weights)
    if len(known) > _MOST:
        return None
    places = np.zeros(256, np.uint8)
    places[known.view(np.uint8)] = np.arange(len(known))
    codes = Constant("codes", halves(places[weights.view(np.uint8)], unit), f"places of {len(weights)} values")
    return Packed("clustered", codes, Constant("values", known, f"({len(known)})"))
