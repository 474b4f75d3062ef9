"""A weight matrix for the vector extension in each packing that holds it. Twin: firmware/engine/packed_matrix.mve.h."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edgekit.engine.cores.mve._matrix import in_groups, matrix
from edgekit.engine.forms.packed._matrix import BLOCK, PackedMatrix
from edgekit.engine.ops import _linear
from edgekit.engine.ops._linear import Linear
from edgekit.engine.packings import packed

BEHIND = 15  # bytes behind the weights that may be read


def suits(layer: Linear) -> bool:
    """Whether activations are int8, weights int8 or int4, and no accumulator is scaled up."""
    return _linear.is_int8_or_int4(layer) and bool(np.all(_linear.multiplier_constants(layer)[1].values <= 0))


def packed_matrices(layer: Linear, rows: NDArray[Any]) -> Iterator[PackedMatrix]:
    """Return the weights in each packing that holds them in fewer bytes than int8 takes.

    Args:
        layer: one that `suits`.
        rows: its weights, shape (output channels, depth).
    """
    dense = matrix(layer, rows)
    stream = in_groups(rows)[: rows.size]
    for one in packed(stream, BLOCK * rows.shape[1]):
        fields = {"matrix": {**dense.fields, "weights": None}, "packed": one.fields}
        yield PackedMatrix(one.name, fields, (*one.constants, *dense.constants[1:]), stream.size)
