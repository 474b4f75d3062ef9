"""A weight matrix in each packing that can hold it. Twin: firmware/engine/packed_matrix_s8.h."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edgekit.engine.lowered import Constant
from edgekit.engine.ops._linear import Linear
from edgekit.engine.ops._matrix import matrix
from edgekit.engine.packings import packed
from edgekit.engine.weights import WeightEncoding, encode

BLOCK = 4  # channels that are unpacked at once


@dataclass(frozen=True, slots=True, eq=False)
class PackedMatrix:
    """A weight matrix in one packing.

    Attributes:
        packing: its name.
        fields: ``matrix``, an `ek_matrix_s8` without weights, and ``packed``.
        constants: what they name.
        weights: how many the stream has.
    """

    packing: str
    fields: Mapping[str, Any]
    constants: tuple[Constant, ...]
    weights: int


def packed_matrices(layer: Linear, rows: NDArray[Any]) -> Iterator[PackedMatrix]:
    """Return the weights in each packing that holds them in fewer bytes than int8 takes.

    Args:
        layer: one that passed `_linear.is_int8_or_int4`.
        rows: its weights, shape (output channels, depth).
    """
    rows = rows.astype(np.int8)
    dense = matrix(layer, rows)
    stream = encode(rows, WeightEncoding.INTERLEAVED_4)
    for one in packed(stream, BLOCK * rows.shape[1]):
        fields = {"matrix": {**dense.fields, "weights": None}, "packed": one.fields}
        yield PackedMatrix(one.name, fields, (*one.constants, *dense.constants[1:]), stream.size)
