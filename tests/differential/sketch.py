"""A random graph in the making: values that exist, and operators that read them."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from ai_edge_litert import schema_py_generated as schema
from flatbuffers_by_hand import ModelByHand
from numpy.typing import NDArray

ACTIVATIONS = (
    schema.ActivationFunctionType.NONE,
    schema.ActivationFunctionType.NONE,
    schema.ActivationFunctionType.RELU,
    schema.ActivationFunctionType.RELU6,
    schema.ActivationFunctionType.RELU_N1_TO_1,
)
# A tensor of more bytes is not grown any further: graphs stay small, so that many can be judged.
_LARGEST_ELEMENTS = 1500


@dataclass(frozen=True)
class Value:
    """An int8 activation."""

    index: int
    shape: tuple[int, ...]
    scale: float
    zero_point: int

    @property
    def elements(self) -> int:
        """Number of elements."""
        return math.prod(self.shape)


@dataclass
class Sketch:
    """Collects operators; `values` are those that later operators may read."""

    rng: np.random.Generator
    model: ModelByHand = field(default_factory=ModelByHand)
    ops: list[tuple[str, list[int], int | list[int], Any]] = field(default_factory=list)
    values: list[Value] = field(default_factory=list)
    read: set[int] = field(default_factory=set)

    def number(self, low: int, high: int) -> int:
        """A whole number, both ends included."""
        return int(self.rng.integers(low, high + 1))

    def chance(self, probability: float = 0.5) -> bool:
        """True that often."""
        return bool(self.rng.random() < probability)

    def pick(self, options: Any) -> Any:
        """One of a sequence."""
        return options[int(self.rng.integers(len(options)))]

    def scale(self) -> float:
        """A scale between 2^-8 and 2^-3."""
        return float(np.float32(2.0 ** self.rng.uniform(-8, -3)))

    def zero_point(self) -> int:
        """Any int8, both ends more often than others."""
        return self.pick((-128, 0, 127, self.number(-128, 127), self.number(-128, 127)))

    def value(self, shape: tuple[int, ...], scale: float | None = None, zero_point: int | None = None) -> Value:
        """Add an activation."""
        chosen = (self.scale() if scale is None else scale, self.zero_point() if zero_point is None else zero_point)
        made = Value(self.model.tensor(shape, chosen[0], chosen[1]), shape, *chosen)
        self.values.append(made)
        return made

    def constant(
        self, data: NDArray[Any], scale: float | NDArray[np.float32] = 1.0, zero_point: int = 0, axis: int = 0
    ) -> int:
        """Add a constant tensor of the data's type."""
        return self.model.tensor(data.shape, scale, zero_point, dtype=data.dtype.name, data=data, axis=axis)

    def op(self, kind: str, inputs: list[Value | int], outputs: list[Value], options: Any) -> None:
        """Add an operator."""
        indices = [item.index if isinstance(item, Value) else item for item in inputs]
        self.read.update(indices)
        self.ops.append((kind, indices, [value.index for value in outputs], options))

    def fits(self, value: Value) -> bool:
        """Whether a value may still be read by another operator."""
        return value.elements <= _LARGEST_ELEMENTS

    def pack(self) -> bytes:
        """The flatbuffer; what no operator reads is an output."""
        inputs = [value.index for value in self.values if not any(value.index in op[2] for op in self.ops)]
        ends = [value.index for value in self.values if value.index not in self.read and value.index not in inputs]
        return self.model.pack_chain(self.ops, inputs, ends)
