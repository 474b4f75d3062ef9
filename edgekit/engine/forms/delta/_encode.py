"""The weights of a matrix that are not zero, and the gaps between them. Twin: firmware/engine/delta_s8.h."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edgekit.engine.lowered import Constant
from edgekit.engine.ops._linear import Linear
from edgekit.engine.ops._matrix import matrix
from edgekit.engine.options import EngineOptions, Optimize

_GAP_BITS = (8, 4)
_MOST_COUNT = 2**16 - 1


@dataclass(frozen=True, slots=True, eq=False)
class Deltas:
    """A weight matrix without its zeros.

    Attributes:
        gaps: uint8; of each weight how far it lies behind the one before it, of a channel's first one its depth. Of 4
            bits two a byte, the first in the low half; each channel begins a byte.
        values: int8; the weights, and zeros where a gap is too long for one step.
        counts: uint16, shape (channels): how many values each has.
    """

    gaps: NDArray[np.uint8]
    values: NDArray[np.int8]
    counts: NDArray[np.uint16]

    @property
    def bytes(self) -> int:
        """Size in flash."""
        return self.gaps.nbytes + self.values.nbytes + self.counts.nbytes


@dataclass(frozen=True, slots=True, eq=False)
class DeltaMatrix:
    """A weight matrix with gaps of one width.

    Attributes:
        gap_bits: 8 or 4.
        fields: of `ek_delta_s8`.
        constants: what they name.
        products: weights that are not zero.
        entries: values, those of zero with them.
    """

    gap_bits: int
    fields: Mapping[str, Any]
    constants: tuple[Constant, ...]
    products: int
    entries: int


def deltas(rows: NDArray[np.int8], gap_bits: int) -> Deltas | None:
    """Leave the zeros of a weight matrix out.

    Args:
        rows: int8, shape (channels, depth).
        gap_bits: 8 or 4.

    Returns:
        None where a channel has more values than a count holds.

    Example:
        >>> made = deltas(np.array([[0, 0, 7, 8], [0, 0, 0, 0], [9, 0, 0, 0]], np.int8), 8)
        >>> made.gaps.tolist(), made.values.tolist(), made.counts.tolist()
        ([2, 1, 0], [7, 8, 9], [2, 0, 1])
        >>> made = deltas(np.array([[5] + 20 * [0] + [6]], np.int8), 4)
        >>> made.gaps.tolist(), made.values.tolist()
        ([240, 6], [5, 0, 6])
    """
    channels, depth = rows.shape
    most = 2**gap_bits - 1
    places = np.flatnonzero(rows)
    owners = places // depth
    gaps = np.diff(places, prepend=0)
    is_first = np.diff(owners, prepend=-1) != 0
    gaps[is_first] = places[is_first] - owners[is_first] * depth
    bridges = np.maximum((gaps - 1) // most, 0)
    ends = np.cumsum(bridges + 1) - 1
    counts = np.zeros(channels, np.int64)
    np.add.at(counts, owners, bridges + 1)
    if counts.max() > _MOST_COUNT:
        return None
    steps = np.full(counts.sum(), most, np.uint8)
    steps[ends] = gaps - bridges * most
    values = np.zeros(len(steps), np.int8)
    values[ends] = rows.reshape(-1)[places]
    return Deltas(steps if gap_bits > 4 else _halves(steps, counts), values, counts.astype(np.uint16))


def _halves(gaps: NDArray[np.uint8], counts: NDArray[np.int64]) -> NDArray[np.uint8]:
    """Put two gaps in a byte; each channel fills whole bytes."""
    channel_bytes = (counts + 1) // 2
    shifted = 2 * (np.cumsum(channel_bytes) - channel_bytes) - (np.cumsum(counts) - counts)
    halves = np.zeros(2 * int(channel_bytes.sum()), np.uint8)
    halves[np.arange(len(gaps)) + np.repeat(shifted, counts)] = gaps
    return halves[0::2] | halves[1::2] << np.uint8(4)


def delta_matrices(layer: Linear, rows: NDArray[Any], options: EngineOptions) -> Iterator[DeltaMatrix]:
    """Return the weights with gaps of each width that holds them in fewer bytes than int8 takes, the one that suits
    the options best first.

    Args:
        layer: one whose weights are int8 or int4, and constant.
        rows: its weights, shape (output channels, depth).
        options: where flash counts most, fewest bytes come first; else fewest values.
    """
    rows = rows.astype(np.int8, copy=False)
    dense = matrix(layer, rows)
    made = [(bits, one) for bits in _GAP_BITS if (one := deltas(rows, bits)) is not None and one.bytes < rows.nbytes]
    if options.optimize is Optimize.FLASH:
        made.sort(key=lambda pair: pair[1].bytes)
    products = int(np.count_nonzero(rows))
    fields = {"matrix": dense.fields, "gaps": "gaps", "counts": "counts"}
    for bits, one in made:
        constants = (*delta_constants(one, rows), *dense.constants[1:])
        yield DeltaMatrix(bits, fields, constants, products, one.values.size)


def delta_constants(made: Deltas, rows: NDArray[np.int8]) -> tuple[Constant, ...]:
    """Return ``weights``, ``gaps`` and ``counts`` of a matrix."""
    return (
        Constant("weights", _not_empty(made.values), f"{np.count_nonzero(rows)} of {rows.shape}"),
        Constant("gaps", _not_empty(made.gaps), "from the weight before, or from depth 0"),
        Constant("counts", made.counts, f"({rows.shape[0]})"),
    )


def _not_empty(values: NDArray[Any]) -> NDArray[Any]:
    """C has no arrays without elements."""
    return values if values.size else np.zeros(1, values.dtype)
