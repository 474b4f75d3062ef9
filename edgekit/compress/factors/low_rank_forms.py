"""The ways in which a layer can be written as a chain of thinner ones, with what each would cost."""

from __future__ import annotations

import itertools
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from math import prod
from typing import Any

import keras
import numpy as np

from edgekit.compress.factors.factors import Array, Spectrum, spectrum, split, tucker, unfold_inputs, unfold_outputs
from edgekit.compress.layers.replace_layers import Part

_CONVOLUTIONS = (keras.layers.Conv1D, keras.layers.Conv2D)
Ranks = tuple[int, ...]
# One index summed: the last of the input, the first of the kernel.
_MATRIX = re.compile(r"(?P<batch>\w+|\.\.\.)(?P<summed>\w),(?P=summed)(?P<made>\w+)->(?P=batch)(?P=made)")


@dataclass(frozen=True, slots=True, eq=False)
class Form:
    """One way to factor one layer.

    Attributes:
        layer: what is factored.
        kind: "matrix", "tucker" or "spatial".
        spectra: of the kernel as a matrix, one for each rank that is to be chosen.
        most: the highest value of each rank.
        cost: ranks -> (weights, multiply-accumulates) of the chain's kernels.
        between: ranks -> values of each activation between the layers of the chain.
        build: ranks -> the chain.
    """

    layer: keras.layers.Layer
    kind: str
    spectra: tuple[Spectrum, ...]
    most: tuple[int, ...]
    cost: Callable[[Ranks], tuple[int, int]]
    between: Callable[[Ranks], tuple[int, ...]]
    build: Callable[[Ranks], tuple[Part, ...]]

    @property
    def weights(self) -> int:
        """The weights of the kernel as it is."""
        return prod(self.layer.kernel.shape)

    @property
    def macs(self) -> int:
        """The multiply-accumulates of the kernel as it is."""
        return self.weights * prod(sizes_around(self.layer)[1])

    def values_alive(self, ranks: Ranks | None) -> int:
        """Return how many values input and output of a layer have together: the most along the chain.

        Args:
            ranks: of the chain; None for the layer as it is.
        """
        ends = (_values(self.layer.input.shape), _values(self.layer.output.shape))
        sizes = (ends[0], *(self.between(ranks) if ranks else ()), ends[1])
        return max(before + after for before, after in itertools.pairwise(sizes))

    def ranks_by_energy(self, energy: float) -> Ranks:
        """Return the lowest ranks that keep a share of the kernel's energy, 0..1."""
        pairs = zip(self.spectra, self.most, strict=True)
        return tuple(min(found.rank(energy), most) for found, most in pairs)

    def ranks_by_number(self, rank: int) -> Ranks:
        """Return `rank`, or as much of it as the kernel has."""
        return tuple(min(rank, most) for most in self.most)


@dataclass(frozen=True, slots=True)
class Choice:
    """One layer that is factorized.

    Attributes:
        form: how.
        ranks: to which ranks.
    """

    form: Form
    ranks: Ranks

    @property
    def grows(self) -> bool:
        """Say whether more values are alive along the chain than around the layer that it replaces."""
        return self.form.values_alive(self.ranks) > self.form.values_alive(None)

    @property
    def saved(self) -> tuple[int, int]:
        """Return the weights and the multiply-accumulates that are saved."""
        weights, work = self.form.cost(self.ranks)
        return self.form.weights - weights, self.form.macs - work


def forms_of(layer: keras.layers.Layer, convolution: str) -> tuple[tuple[Form, ...], str]:
    """Return the ways to factor a layer.

    Args:
        layer: built.
        convolution: "tucker", "spatial", or "cheaper" for both, for convolutions larger than one place.

    Returns:
        The forms, and the reason where there is none; no form and no reason for layers without a kernel.
    """
    kernel = getattr(layer, "kernel", None)
    if type(layer) is keras.layers.Dense:
        return (_dense(layer),), ""
    if type(layer) is keras.layers.EinsumDense:
        if _MATRIX.fullmatch(layer.equation):
            return (_dense(layer),), ""
        return (), f"its equation {layer.equation} is not one matrix on the last axis"
    if type(layer) in _CONVOLUTIONS:
        if layer.groups != 1:
            return (), f"it has {layer.groups} groups: each is a matrix of its own"
        if prod(layer.kernel_size) == 1:
            return (_spatial(layer, "matrix"),), ""
        made = {"tucker": _tucker, "spatial": _spatial}
        return tuple(make(layer) for kind, make in made.items() if convolution in (kind, "cheaper")), ""
    if kernel is not None or any(len(weight.shape) > 1 for weight in layer.weights):
        return (), f"{type(layer).__name__} has no low-rank form"
    return (), ""


def _values(shape: tuple[int | None, ...]) -> int:
    return prod(size or 1 for size in shape)


def sizes_around(layer: Any) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """Return the sizes, without batch and channels, of what comes in and goes out; an unknown one counts as 1."""
    axes = slice(2, None) if getattr(layer, "data_format", "") == "channels_first" else slice(1, -1)
    before = layer.input.shape[axes]
    after = before if isinstance(layer, keras.layers.EinsumDense) else layer.output.shape[axes]
    strides = getattr(layer, "strides", (1,) * len(after))
    known = zip(before, after, strides, strict=True)
    sizes = [(stride, 1) if a is None or b is None else (a, b) for a, b, stride in known]
    return tuple(size for size, _ in sizes), tuple(size for _, size in sizes)


def _dense(layer: Any) -> Form:
    """A matrix as two: (inputs, rank) and (rank, outputs)."""
    kernel = layer.kernel.numpy()
    matrix = kernel.reshape(len(kernel), -1)
    rows, columns = matrix.shape
    found = spectrum(matrix if rows <= columns else matrix.T)
    places = prod(sizes_around(layer)[1])

    def cost(ranks: Ranks) -> tuple[int, int]:
        weights = ranks[0] * (rows + columns)
        return weights, weights * places

    def build(ranks: Ranks) -> tuple[Part, ...]:
        left, right = split(matrix, found, ranks[0])
        first = keras.layers.Dense(ranks[0], use_bias=False, name=f"{layer.name}_in", dtype=layer.dtype_policy)
        return (
            Part(first, [_float32(left)]),
            _last(layer, {}, right.reshape(ranks[0], *kernel.shape[1:])),
        )

    def between(ranks: Ranks) -> tuple[int, ...]:
        return (ranks[0] * places,)

    return Form(layer, "matrix", (found,), (min(rows, columns),), cost, between, build)


def _spatial(layer: Any, kind: str = "spatial") -> Form:
    """A kernel of (height, width) as (height, 1) and then (1, width); one of a single place as two matrices."""
    kernel = layer.kernel.numpy()
    height, *width, inputs, outputs = kernel.shape
    # (height, inputs) x (width, outputs)
    matrix = np.moveaxis(kernel, -2, 1).reshape(height * inputs, -1)
    found = spectrum(matrix if matrix.shape[0] <= matrix.shape[1] else matrix.T)
    tall, wide = (height, *(1 for _ in width)), (1, *width)
    first, second = _split_axes(layer)
    sizes_in, sizes_out = sizes_around(layer)
    places = prod(sizes_out)
    # Between a tall and a wide kernel the second axis still has the size that came in.
    places_between = places if prod(layer.kernel_size) == 1 else sizes_out[0] * prod(sizes_in[1:])

    def cost(ranks: Ranks) -> tuple[int, int]:
        before, after = height * inputs * ranks[0], prod(width) * ranks[0] * outputs
        return before + after, before * places_between + after * places

    def build(ranks: Ranks) -> tuple[Part, ...]:
        left, right = split(matrix, found, ranks[0])
        across = np.moveaxis(right.reshape(ranks[0], prod(wide), outputs), 0, 1)
        return (
            _inner(layer, "in", ranks[0], {"kernel_size": tall, **first}, left.reshape(*tall, inputs, ranks[0])),
            _last(layer, {"kernel_size": wide, **second}, across.reshape(*wide, ranks[0], outputs)),
        )

    def between(ranks: Ranks) -> tuple[int, ...]:
        return (ranks[0] * places_between,)

    return Form(layer, kind, (found,), (min(matrix.shape),), cost, between, build)


def _split_axes(layer: Any) -> tuple[dict[str, Any], dict[str, Any]]:
    """Give the stride and dilation of the first axis to the first layer, those of the other axis to the second.

    A kernel of a single place strides at once, so that its second layer has less to do.
    """
    ones = (1,) * len(layer.kernel_size)
    if prod(layer.kernel_size) == 1:
        return {"strides": layer.strides, "dilation_rate": ones}, {"strides": ones, "dilation_rate": ones}
    names = ("strides", "dilation_rate")
    first = {name: (getattr(layer, name)[0], *ones[1:]) for name in names}
    return first, {name: (1, *getattr(layer, name)[1:]) for name in names}


def _tucker(layer: Any) -> Form:
    """A kernel as (1x1, core, 1x1); an end whose rank is full is left out."""
    kernel = layer.kernel.numpy()
    inputs, outputs = kernel.shape[-2:]
    size = prod(layer.kernel_size)
    places_before, places = (prod(sizes) for sizes in sizes_around(layer))
    one = (1,) * len(layer.kernel_size)
    point = {"kernel_size": one, "strides": one, "dilation_rate": one}

    def cost(ranks: Ranks) -> tuple[int, int]:
        into = inputs * ranks[0] if ranks[0] < inputs else 0
        core = size * ranks[0] * ranks[1]
        out = ranks[1] * outputs if ranks[1] < outputs else 0
        return into + core + out, into * places_before + (core + out) * places

    def build(ranks: Ranks) -> tuple[Part, ...]:
        into, core, out = tucker(kernel, *ranks)
        chain: list[Part] = []
        if ranks[0] < inputs:
            chain.append(_inner(layer, "in", ranks[0], point, into.reshape(*one, *into.shape)))
        else:
            core = np.einsum("ir,...ro->...io", into, core)
        if ranks[1] == outputs:
            return (*chain, _last(layer, {}, core @ out))
        chain.append(_inner(layer, "core", ranks[1], {}, core))
        return (*chain, _last(layer, point, out.reshape(*one, *out.shape)))

    def between(ranks: Ranks) -> tuple[int, ...]:
        before = (ranks[0] * places_before,) if ranks[0] < inputs else ()
        return (*before, ranks[1] * places) if ranks[1] < outputs else before

    spectra = (spectrum(unfold_inputs(kernel)), spectrum(unfold_outputs(kernel)))
    return Form(layer, "tucker", spectra, (inputs, outputs), cost, between, build)


def _inner(layer: Any, suffix: str, filters: int, changed: Mapping[str, Any], kernel: Array) -> Part:
    """A convolution like `layer` without bias or activation, that stands before the last of a chain."""
    config = layer.get_config() | dict(changed)
    config |= {"name": f"{layer.name}_{suffix}", "filters": filters, "activation": "linear", "use_bias": False}
    config |= dict.fromkeys(("activity_regularizer", "kernel_constraint"))
    return Part(type(layer).from_config(config), [_float32(kernel)])


def _last(layer: Any, changed: Mapping[str, Any], kernel: Array) -> Part:
    """The last layer of a chain: it has the name, the bias and the activation of the one that is replaced."""
    bias = [layer.bias.numpy()] if layer.bias is not None else []
    config = layer.get_config() | dict(changed) | {"kernel_constraint": None}
    return Part(type(layer).from_config(config), [_float32(kernel), *bias])


def _float32(values: Array) -> Any:
    return np.ascontiguousarray(values, np.float32)
