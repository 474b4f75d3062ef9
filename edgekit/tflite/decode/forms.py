"""The two forms of compressed weights that DECODE reads: pruned weights as a bitmap, clustered ones as a look-up table.

Pruned: a bit an element, the first in the highest bit of the first byte; set where the value is not the zero point.
The ancillary table holds those values in order. Look-up: an index of 1 to 7 bits an element, packed the same way, into
a table of values; each channel of a per-channel tensor has a table of its own, of the same length. In front of the
values of both stand 16 bytes that say which form it is.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from typing import Any

import numpy as np
from numpy.typing import NDArray

HEADER_BYTES = 16
MOST_BITS = 7
MOST_TABLE_LENGTH = 128
# Places in the header; the version of the whole and that of the form are 1.
FORM, VERSION, FORM_VERSION, BITS, TABLE_LENGTH = 0, 1, 4, 5, 6
_THE_VERSION = 1
# Elements packed at a time: a multiple of 8, so that every piece ends with a whole byte.
_PIECE = 1 << 20


class Form(IntEnum):
    """The form, as the header spells it."""

    LOOK_UP = 0
    PRUNED = 2


@dataclass(frozen=True, slots=True, eq=False)
class Encoded:
    """A tensor in one of the forms.

    Attributes:
        form: which one.
        codes: uint8; the bitmap or the packed indices.
        ancillary: uint8; header and values.
    """

    form: Form
    codes: NDArray[np.uint8]
    ancillary: NDArray[np.uint8]

    @property
    def size_bytes(self) -> int:
        """Bytes of both constants."""
        return len(self.codes) + len(self.ancillary)


def smallest(values: NDArray[np.int8], *, zero_point: int, axis: int | None) -> Encoded:
    """Return the smaller of the two forms.

    Args:
        values: int8, any shape with at least one element.
        zero_point: the value that a bitmap leaves out; the same for all channels.
        axis: the first or the last dimension, along which channels have scales of their own; None for one scale.

    Example:
        >>> sparse = np.zeros((4, 64), np.int8)
        >>> sparse[0] = np.arange(1, 65)
        >>> smallest(sparse, zero_point=0, axis=None).form.name
        'PRUNED'
    """
    as_bitmap = pruned(values, zero_point)
    return look_up(values, axis, smaller_than=as_bitmap.size_bytes) or as_bitmap


def pruned(values: NDArray[np.int8], zero_point: int) -> Encoded:
    """Return the bitmap form; `zero_point` is left out."""
    flat = values.reshape(-1)
    kept = flat != zero_point
    return Encoded(Form.PRUNED, np.packbits(kept), _ancillary(Form.PRUNED, flat[kept]))


def look_up(values: NDArray[np.int8], axis: int | None, *, smaller_than: int | None = None) -> Encoded | None:
    """Return the form with a table; None where it is not smaller, or a channel has more than 128 different values."""
    rows = _by_channel(values, axis)
    tables = [np.unique(row) for row in rows]
    length = max(len(table) for table in tables)
    bits = max(1, (length - 1).bit_length())
    size = HEADER_BYTES + len(tables) * length + -(-values.size * bits // 8)
    if length > MOST_TABLE_LENGTH or (smaller_than is not None and size >= smaller_than):
        return None
    pairs = zip(tables, rows, strict=True)
    indices = np.stack([np.searchsorted(table, row).astype(np.uint8) for table, row in pairs])
    in_order = indices.T if axis is not None and axis > 0 else indices
    table = np.stack([np.pad(table, (0, length - len(table))) for table in tables])
    return Encoded(
        Form.LOOK_UP,
        _packed(np.ascontiguousarray(in_order).reshape(-1), bits),
        _ancillary(Form.LOOK_UP, table.reshape(-1), bits=bits, table_length=length),
    )


def decoded(
    codes: NDArray[np.uint8],
    ancillary: NDArray[np.uint8],
    *,
    shape: tuple[int, ...],
    dtype: str,
    zero_point: int,
    axis: int | None,
) -> NDArray[Any]:
    """Return the tensor that DECODE makes; the guard has checked both constants.

    Args:
        codes, ancillary: the operator's two inputs for this output.
        shape: of the output.
        dtype: NumPy name of its type.
        zero_point: of its first channel; the others have the same.
        axis: the first or the last dimension, along which channels have scales of their own; None for one scale.

    Example:
        >>> one = smallest(np.array([[0, 3], [0, 0]], np.int8), zero_point=0, axis=None)
        >>> decoded(one.codes, one.ancillary, shape=(2, 2), dtype="int8", zero_point=0, axis=None).tolist()
        [[0, 3], [0, 0]]
    """
    elements = int(np.prod(shape, dtype=np.int64))
    values = np.ascontiguousarray(ancillary[HEADER_BYTES:])
    values = values[: len(values) // np.dtype(dtype).itemsize * np.dtype(dtype).itemsize].view(dtype)
    if ancillary[FORM] == Form.PRUNED:
        kept = np.unpackbits(codes, count=elements).astype(bool)
        flat = np.full(elements, zero_point, dtype)
        flat[kept] = values[: int(kept.sum())]
        return flat.reshape(shape)
    length = int(ancillary[TABLE_LENGTH])
    indices = unpacked(codes, int(ancillary[BITS]) & MOST_BITS, elements)
    channels = 1 if axis is None else shape[axis]
    # Channel of each element, in the order of the elements.
    channel = np.arange(channels).repeat(elements // channels) if axis in (None, 0) else np.arange(elements) % channels
    found: NDArray[Any] = values[channel * length + indices].reshape(shape)
    return found


def unpacked(codes: NDArray[np.uint8], bits: int, count: int) -> NDArray[np.uint8]:
    """Return `count` indices of `bits` bits each."""
    weights = 1 << np.arange(bits - 1, -1, -1, dtype=np.uint8)
    pieces = []
    for start in range(0, count, _PIECE):
        size = min(_PIECE, count - start)
        at = start * bits // 8
        single = np.unpackbits(codes[at : at + -(-size * bits // 8)], count=size * bits)
        pieces.append((single.reshape(size, bits) * weights).sum(axis=1, dtype=np.uint8))
    return np.concatenate(pieces)


def _packed(indices: NDArray[np.uint8], bits: int) -> NDArray[np.uint8]:
    shifts = np.arange(bits - 1, -1, -1, dtype=np.uint8)
    starts = range(0, len(indices), _PIECE)
    return np.concatenate(
        [np.packbits((indices[start : start + _PIECE, np.newaxis] >> shifts) & 1) for start in starts]
    )


def _by_channel(values: NDArray[np.int8], axis: int | None) -> NDArray[np.int8]:
    if axis is None:
        return values.reshape(1, -1)
    if axis == 0:
        return values.reshape(values.shape[0], -1)
    return np.ascontiguousarray(values.reshape(-1, values.shape[-1]).T)


def _ancillary(form: Form, values: NDArray[Any], *, bits: int = 0, table_length: int = 0) -> NDArray[np.uint8]:
    header = np.zeros(HEADER_BYTES, np.uint8)
    header[FORM], header[VERSION], header[FORM_VERSION] = form, _THE_VERSION, _THE_VERSION
    header[BITS], header[TABLE_LENGTH] = bits, table_length
    return np.concatenate([header, np.frombuffer(values.tobytes(), np.uint8)])
