"""A bit for each weight that is not zero, and those weights. Twin: firmware/engine/unpack_bitmap.h."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from edgekit.engine.lowered import Constant
from edgekit.engine.packings import Packed, in_units


def pack(weights: NDArray[np.int8], unit: int) -> Packed | None:
    """Pack weights among which are zeros, eight bits a byte, the lowest first; see `edgekit.engine.packings.Packing`.

    Example:
        >>> made = pack(np.array([0, 7, 0, 0, 0, 0, 0, 0, 5, 0], np.int8), 10)
        >>> made.codes.values.tolist(), made.values.values.tolist()
        ([2, 1], [7, 5])
    """
    kept = weights[weights != 0]
    if len(kept) == len(weights):
        return None
    rows, size = in_units((weights != 0).view(np.uint8), unit, 8)
    masks = np.packbits(rows, axis=1, bitorder="little").reshape(-1)[:size]
    # C has no arrays without elements.
    values = kept if len(kept) else np.zeros(1, np.int8)
    return Packed(
        "bitmap",
        Constant("codes", masks, f"a bit for each of {len(weights)} weights"),
        Constant("values", values, f"({len(kept)}) that are not 0"),
    )
