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
    INT4_DENSE, INT4_INTERLEAVED_4: the same orders with two weights a byte, the first in its low half. Each row of
        DENSE, the blocks of INTERLEAVED_4 and each of its last rows fill whole bytes.
    """

    DENSE = "dense"
    INTERLEAVED_4 = "interleaved_4"
    INT4_DENSE = "int4_dense"
    INT4_INTERLEAVED_4 = "int4_interleaved_4"


def encode(weights: NDArray[Any], encoding: WeightEncoding) -> NDArray[Any]:
    """Store a weight matrix.

    Args:
        weights: int8, shape (output_channels, depth); of int4 too, in -8..7.
        encoding: the form a kernel wants.

    Returns:
        int8, one-dimensional: output_channels * depth bytes, of int4 about half as many.

    Example:
        >>> encode(np.arange(10, dtype=np.int8).reshape(5, 2), WeightEncoding.INTERLEAVED_4).tolist()
        [0, 2, 4, 6, 1, 3, 5, 7, 8, 9]
        >>> encode(np.array([[1, 2, -1]], np.int8), WeightEncoding.INT4_DENSE).tolist()
        [33, 15]
    """
    if encoding is WeightEncoding.DENSE:
        return np.ascontiguousarray(weights).reshape(-1)
    if encoding is WeightEncoding.INT4_DENSE:
        return _packed(weights)
    channels, depth = weights.shape
    whole = channels // 4 * 4
    blocks = weights[:whole].reshape(whole // 4, 4, depth).transpose(0, 2, 1).reshape(whole // 4, 4 * depth)
    if encoding is WeightEncoding.INT4_INTERLEAVED_4:
        return np.concatenate([_packed(blocks), _packed(weights[whole:])])
    return np.concatenate([blocks.reshape(-1), weights[whole:].reshape(-1)])


def _packed(rows: NDArray[Any]) -> NDArray[np.int8]:
    """Pack each row of int4 into whole bytes."""
    halves = np.pad(rows.astype(np.int8).view(np.uint8) & 0x0F, ((0, 0), (0, rows.shape[1] % 2)))
    pairs: NDArray[np.uint8] = halves[:, 0::2] | halves[:, 1::2] << 4
    return pairs.reshape(-1).view(np.int8)
