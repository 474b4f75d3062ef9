"""Streams of weights stored small: `<packing>.py` writes what `firmware/engine/unpack_<packing>.h` reads."""

from __future__ import annotations

import functools
import importlib
import pkgutil
import typing
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from edgekit.engine.lowered import Constant


@dataclass(frozen=True, slots=True)
class Packed:
    """A packed stream.

    Attributes:
        name: of the packing; `firmware/engine/unpack_<name>.h` reads it.
        codes: constant ``codes``, uint8.
        values: constant ``values``, int8: what the codes stand for; None where they need nothing.
    """

    name: str
    codes: Constant
    values: Constant | None

    @property
    def constants(self) -> tuple[Constant, ...]:
        """What the kernel reads."""
        return (self.codes,) if self.values is None else (self.codes, self.values)

    @property
    def fields(self) -> Mapping[str, str | None]:
        """The setting of type `ek_packed` in C."""
        return {"codes": "codes", "values": None if self.values is None else "values"}

    @property
    def bytes(self) -> int:
        """Size in flash."""
        return sum(constant.values.nbytes for constant in self.constants)


class Packing(Protocol):
    """What each module in this folder offers."""

    def pack(self, weights: NDArray[np.int8], unit: int) -> Packed | None:
        """Pack a stream.

        Args:
            weights: one-dimensional, in the order in which the kernel takes them.
            unit: how many are unpacked at once; the last unit may be shorter.

        Returns:
            None where the packing cannot hold these weights.
        """
        ...


@functools.cache
def names() -> tuple[str, ...]:
    """Return the packings."""
    return tuple(sorted(module.name for module in pkgutil.iter_modules(__path__) if not module.name.startswith("_")))


def packed(weights: NDArray[np.int8], unit: int) -> tuple[Packed, ...]:
    """Return the stream in each packing that holds it in fewer bytes than int8 takes; see `Packing.pack`.

    Example:
        >>> [one.name for one in packed(np.arange(-8, 8, dtype=np.int8), 16) if one.bytes == 8]
        ['int4']
    """
    made = [packed_as(name, weights, unit) for name in names()]
    return tuple(one for one in made if one is not None)


def packed_as(name: str, weights: NDArray[np.int8], unit: int) -> Packed | None:
    """Return the stream in one packing; None where it cannot hold it in fewer bytes than int8 takes.

    Example:
        >>> packed_as("int4", np.arange(-8, 8, dtype=np.int8), 16).bytes
        8
    """
    made = typing.cast(Packing, importlib.import_module(f"{__name__}.{name}")).pack(weights, unit)
    return made if made is not None and made.bytes < weights.nbytes else None


def in_units(codes: NDArray[np.uint8], unit: int, each: int) -> tuple[NDArray[np.uint8], int]:
    """Cut codes into units that fill whole bytes.

    Args:
        codes: one a weight.
        unit: weights of a unit; the last one may be shorter.
        each: codes a byte.

    Returns:
        The codes, a unit a row, filled up with zeros; the bytes that they take without those that only fill up the
        last unit.

    Example:
        >>> in_units(np.arange(5, dtype=np.uint8), 3, 2)
        (array([[0, 1, 2, 0],
               [3, 4, 0, 0]], dtype=uint8), 3)
    """
    whole, rest = divmod(len(codes), unit)
    unit_bytes = -(-unit // each)
    rows = np.pad(codes, (0, -len(codes) % unit)).reshape(-1, unit)
    return np.pad(rows, ((0, 0), (0, unit_bytes * each - unit))), whole * unit_bytes + -(-rest // each)


def halves(codes: NDArray[np.uint8], unit: int) -> NDArray[np.uint8]:
    """Return codes of 4 bits two a byte, the first in its low half.

    Example:
        >>> halves(np.array([1, 2, 3, 4, 5], np.uint8), 3).tolist()
        [33, 3, 84]
    """
    rows, size = in_units(codes, unit, 2)
    return (rows[:, 0::2] | rows[:, 1::2] << np.uint8(4)).reshape(-1)[:size]
