"""How weights are stored in flash: chosen when an operator is lowered; kernels read it as it is."""

from __future__ import annotations

from enum import StrEnum
from typing import Any

import numpy as np
from numpy.typing import NDArray


class WeightEncoding(StrEnum):
    """The stored forms.

    DENSE: the order of the flatbuffer.
    INTERLEAVED_4: (channels / 4, depth, 4), then the last channels % 4 rows as they are: one activation, once loaded,
        serves four products.
    """

    DENSE = "dense"
    INTERLEAVED_4 = "interleaved_4"


def encode(weights: NDArray[Any], encoding: WeightEncoding) -> NDArray[Any]:
    """Store a weight matrix.

    Args:
        weights: int8, shape (output_channels, depth).
        encoding: the form a kernel wants.

    Returns:
        int8, one-dimensional.

    Example:
        >>> encode(np.arange(10, dtype=np.int8).reshape(5, 2), WeightEncoding.INTERLEAVED_4).tolist()
        [0, 2, 4, 6, 1, 3, 5, 7, 8, 9]
    """
    if encoding is WeightEncoding.DENSE:
        return np.ascontiguousarray(weights).reshape(-1)
    channels, depth = weights.shape
    whole = channels // 4 * 4
    blocks = weights[:whole].reshape(whole // 4, 4, depth).transpose(0, 2, 1).reshape(whole // 4, 4 * depth)
    return np.concatenate([blocks.reshape(-1), weights[whole:].reshape(-1)])
