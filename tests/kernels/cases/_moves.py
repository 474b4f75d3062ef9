"""Random tensors and parameters for operators that move what they get."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from flatbuffers_by_hand import ModelByHand

from cases._random import random_scale, random_zero_point

Shape = tuple[int, ...]


class Mover:
    """Makes tensors of one random type with one scale, as operators that move elements want them."""

    def __init__(self, rng: np.random.Generator, dtypes: Sequence[str] = ("int8",)) -> None:
        """Choose the type and the scale."""
        self.rng, self.model = rng, ModelByHand()
        self.dtype = str(rng.choice(dtypes))
        self._scale = random_scale(rng) if self.dtype in ("int8", "int16") else 1.0
        self._zero_point = random_zero_point(rng) if self.dtype == "int8" else 0

    def tensor(self, shape: Shape, data: Any = None) -> int:
        """Add an activation, or a constant where there is data."""
        return self.model.tensor(shape, self._scale, self._zero_point, dtype=self.dtype, data=data)

    def constant(self, shape: Shape) -> int:
        """Add a constant of random elements."""
        limits = (0, 2) if self.dtype == "bool" else (-100, 101)
        return self.tensor(shape, self.rng.integers(*limits, shape).astype(self.dtype))

    def numbers(self, values: Sequence[int] | np.ndarray | int, dtype: str = "int32") -> int:
        """Add a constant parameter."""
        data = np.array(values, dtype)
        return self.model.tensor(data.shape, dtype=dtype, data=data)

    def shape(self, low: int = 1, high: int = 5, size: int = 6) -> Shape:
        """A random shape of `low` to `high` dimensions; the first is often 1, as converters leave it."""
        drawn = [int(value) for value in self.rng.integers(1, size, int(self.rng.integers(low, high + 1)))]
        return tuple(1 if axis == 0 and self.rng.integers(0, 3) else value for axis, value in enumerate(drawn))

    def axis(self, shape: Shape) -> int:
        """A random axis, at times counted from the end."""
        axis = int(self.rng.integers(0, len(shape)))
        return axis - len(shape) if self.rng.integers(0, 2) else axis


def with_size(shape: Shape, axis: int, size: int) -> Shape:
    """The shape with another size along an axis."""
    axis %= len(shape)
    return (*shape[:axis], size, *shape[axis + 1 :])
