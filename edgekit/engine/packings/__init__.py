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
            weights: one-dimensional, in the order in which the kernel takes them; a multiple of `unit`.
            unit: how many are unpacked at once.

        Returns:
            None where the packing cannot hold these weights.
        """
        ...


@functools.cache
def names() -> tuple[str, ...]:
    """Return the packings."""
    return tuple(sorted(module.name for module in pkgutil.iter_modules(__path__)))


def packed(weights: NDArray[np.int8], unit: int) -> tuple[Packed, ...]:
    """Return the stream in each packing that can hold it; see `Packing.pack`.

    Example:
        >>> [one.name for one in packed(np.arange(-8, 8, dtype=np.int8), 16) if one.bytes == 8]
        ['int4']
    """
    modules = [typing.cast(Packing, importlib.import_module(f"{__name__}.{name}")) for name in names()]
    made = [module.pack(weights, unit) for module in modules]
    return tuple(one for one in made if one is not None)
