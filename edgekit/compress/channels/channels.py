"""Channels of a network and which of them can only go together: the data that every rule works on.

Every channel that a layer makes gets a number. A tensor is described by the numbers of its last axis. Where two
tensors meet element by element, the numbers that meet are united (a disjoint-set forest); numbers that are united
belong to one group, and a group is dropped or kept as a whole. Groups that reach something that cannot shrink
(the model's inputs and outputs, layers without a rule, statistics over channels) are frozen.

Source:
    Fang et al. 2023, "DepGraph: Towards Any Structural Pruning", arXiv:2301.12900: grouping by dependency.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

Ids = NDArray[np.int64]
Shape = tuple[int | None, ...]


class Channels:
    """The numbered channels of one model, and the groups that they form."""

    def __init__(self) -> None:
        self._parent: list[int] = []
        self._reasons: dict[int, str] = {}

    @property
    def count(self) -> int:
        """How many channels are numbered."""
        return len(self._parent)

    def fresh(self, count: int) -> Ids:
        """Number `count` new channels."""
        first = len(self._parent)
        self._parent.extend(range(first, first + count))
        return np.arange(first, first + count)

    def frozen(self, count: int, reason: str) -> Ids:
        """Number new channels that cannot be dropped."""
        ids = self.fresh(count)
        self.freeze(ids, reason)
        return ids

    def freeze(self, ids: Ids, reason: str, *, above_all: bool = False) -> None:
        """Keep these channels, and all that are or will be united with them; the first reason stays."""
        for root in self.roots(ids).tolist():
            if above_all or root not in self._reasons:
                self._reasons[root] = reason

    def unite(self, one: Ids, other: Ids) -> None:
        """Let channels that meet element by element go together; a single channel spread over many is frozen."""
        if len(one) != len(other):
            for ids in (one, other):
                self.freeze(ids, "it is spread over channels of another number")
            return
        for a, b in zip(self.roots(one).tolist(), self.roots(other).tolist(), strict=True):
            a, b = self._root(a), self._root(b)
            if a == b:
                continue
            self._parent[b] = a
            reason = self._reasons.pop(b, None)
            if reason is not None:
                self._reasons.setdefault(a, reason)

    def roots(self, ids: Ids) -> Ids:
        """Return the number that stands for the group of each channel; same shape."""
        return np.array([self._root(number) for number in ids.tolist()], np.int64)

    def reason(self, root: int) -> str | None:
        """Say why a group is frozen; None where it is not."""
        return self._reasons.get(root)

    def _root(self, number: int) -> int:
        parent = self._parent
        while parent[number] != number:
            parent[number] = parent[parent[number]]
            number = parent[number]
        return number


@dataclass(frozen=True, slots=True, eq=False)
class Cut:
    """How a layer follows the channels that it takes and makes.

    Attributes:
        output: channels of its output.
        weights: for each weight its axes (counted from the end) that follow channels.
        sizes: configuration entries that hold a number of channels (or a shape that ends in one).
        reads: for each weight that sums over channels, the axis of that sum.
        made: channels that begin here; the others are passed on.
        positions: how often each kernel weight is applied to one sample, for counting.
    """

    output: Ids
    weights: Mapping[str, Mapping[int, Ids]] = field(default_factory=dict)
    sizes: Mapping[str, Ids] = field(default_factory=dict)
    reads: Mapping[str, int] = field(default_factory=dict)
    made: Ids | None = None
    positions: int | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Call:
    """One call of a layer or operation in the graph: what a rule is given.

    Attributes:
        layer: the Keras layer or operation.
        inputs: channels of each input tensor, in order.
        input_shapes: their shapes, batch first.
        output_shape: shape of the (first) output.
        constants: arguments of the call that are no tensors of the graph.
        channels: where new channels are numbered, united and frozen.
    """

    layer: Any
    inputs: tuple[Ids, ...]
    input_shapes: tuple[Shape, ...]
    output_shape: Shape
    constants: tuple[Any, ...]
    channels: Channels

    @property
    def ids(self) -> Ids:
        """The channels of the only input."""
        return self.inputs[0]

    def freeze(self, reason: str) -> Cut:
        """The way out of every rule: inputs and output stay as they are."""
        for ids in self.inputs:
            self.channels.freeze(ids, reason)
        return Cut(self.channels.frozen(width(self.output_shape), reason))


Rule = Callable[[Call], Cut]


def weight_names(layer: Any) -> list[str]:
    """Name the weights of a layer as rules do, in the order of `layer.weights`.

    Args:
        layer: a built Keras layer, or an operation, which has none.

    Returns:
        `kernel`; where layers inside it call several so, `query/kernel`.
    """
    plain = [variable.name for variable in getattr(layer, "weights", ())]
    if len(set(plain)) == len(plain):
        return plain
    inside = {id(variable): f"{inner.name}/{variable.name}" for inner in layer._layers for variable in inner.weights}
    return [inside.get(id(variable), variable.name) for variable in layer.weights]


def width(shape: Shape) -> int:
    """Return the number of channels of a tensor: its last axis; 1 where there is none or it is not known.

    Example:
        >>> width((None, 8, 8, 3)), width((None,)), width((None, None))
        (3, 1, 1)
    """
    return (shape[-1] or 1) if len(shape) > 1 else 1


def positions(shape: Shape) -> int:
    """Return the number of places between batch and channels; axes of unknown length count once.

    Example:
        >>> positions((None, 8, 8, 3)), positions((None, 10))
        (64, 1)
    """
    return math.prod(size or 1 for size in shape[1:-1])
