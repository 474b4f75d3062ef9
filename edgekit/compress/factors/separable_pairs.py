"""Which convolutions can be replaced by depthwise-separable pairs, and with which weights."""

from __future__ import annotations

from dataclasses import dataclass
from math import prod
from typing import TYPE_CHECKING, Any

import keras
import numpy as np

from edgekit.compress.factors.factors import Array
from edgekit.compress.factors.low_rank_forms import sizes_around
from edgekit.compress.layers.replace_layers import Part, graph_layers, is_graph, replace_layers

if TYPE_CHECKING:
    from edgekit.compress.separable import Separable

_DEPTHWISE = {
    keras.layers.Conv1D: keras.layers.DepthwiseConv1D,
    keras.layers.Conv2D: keras.layers.DepthwiseConv2D,
}
# What the depthwise filter takes over from the convolution's configuration.
_KEPT = ("strides", "padding", "data_format", "dilation_rate", "kernel_size", "dtype", "trainable")

Skipped = tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True, eq=False)
class Pair:
    """A convolution that is replaced.

    Attributes:
        layer: the convolution.
        multiplier: filters for each of its input channels.
        before, after: (weights, multiply-accumulates) of the kernel, and of the two kernels that replace it.
    """

    layer: Any
    multiplier: int
    before: tuple[int, int]
    after: tuple[int, int]


def find_pairs(model: keras.Model, settings: Separable) -> tuple[tuple[Pair, ...], Skipped]:
    """Return the convolutions that pay to be replaced, and (layer, reason) of those that stay."""
    pairs: list[Pair] = []
    skipped: list[tuple[str, str]] = []
    reachable = list(graph_layers(model))
    convolutions = [layer for layer in reachable if type(layer) in _DEPTHWISE]
    for layer in convolutions:
        pair = _pair(layer, settings.multiplier)
        reason = _reason(pair, settings, is_first=layer is convolutions[0])
        if reason is None:
            pairs.append(pair)
        else:
            skipped.append((layer.name, reason))
    outside = "it lies inside a layer that is no model" if is_graph(model) else "the model is subclassed"
    skipped += [
        (layer.name, outside)
        for layer in model._flatten_layers(include_self=False)
        if type(layer) in _DEPTHWISE and not any(layer is known for known in reachable)
    ]
    return tuple(pairs), tuple(skipped)


def replace(model: keras.Model, pairs: tuple[Pair, ...], settings: Separable) -> keras.Model:
    """Return a copy of the model with the pairs in the convolutions' places, not trained."""
    generator = keras.random.SeedGenerator(settings.seed)
    return replace_layers(model, {pair.layer: _chain(pair, settings.start, generator) for pair in pairs})


def nearest(kernel: Array, multiplier: int) -> tuple[Array, Array]:
    """Return the depthwise and the 1x1 kernel whose product is nearest to a kernel, in the sum of squares.

    Args:
        kernel: (*places, channels_in, channels_out).
        multiplier: filters for each input channel.

    Returns:
        (*places, channels_in, multiplier) and (channels_in * multiplier, channels_out).

    Example:
        >>> kernel = np.ones((3, 3, 2, 1)) * [[1.0], [2.0]]
        >>> depthwise, pointwise = nearest(kernel, 1)
        >>> bool(np.allclose(depthwise[..., 0] * pointwise[:, 0], kernel[..., 0]))
        True

    Source:
        Guo et al. 2018, arXiv:1808.05517, section 3.2: for each input channel the slice of the kernel is a matrix
        (places, channels_out), and its singular vectors are the filters.
    """
    *places, inputs, outputs = kernel.shape
    matrices = np.moveaxis(kernel.astype(np.float64), -2, 0).reshape(inputs, -1, outputs)
    left, values, right = np.linalg.svd(matrices, full_matrices=False)
    # A slice has no more directions than its smaller side; further filters have nothing to add.
    filters, spread = np.zeros((inputs, prod(places), multiplier)), np.zeros((inputs, multiplier, outputs))
    rank = min(multiplier, values.shape[1])
    root = np.sqrt(values[:, :rank])
    filters[:, :, :rank] = left[:, :, :rank] * root[:, np.newaxis, :]
    spread[:, :rank] = right[:, :rank] * root[:, :, np.newaxis]
    return np.moveaxis(filters, 0, 1).reshape(*places, inputs, multiplier), spread.reshape(-1, outputs)


def _pair(layer: Any, multiplier: int) -> Pair:
    places_out = prod(sizes_around(layer)[1])
    weights, size = prod(layer.kernel.shape), prod(layer.kernel_size)
    inputs = layer.kernel.shape[-2]
    new = inputs * multiplier * (size + layer.filters)
    return Pair(layer, multiplier, (weights, weights * places_out), (new, new * places_out))


def _reason(pair: Pair, settings: Separable, *, is_first: bool) -> str | None:
    """Say why a convolution stays as it is; None where it is replaced."""
    layer = pair.layer
    if layer.name in settings.leave_out:
        return "it is in leave_out"
    if layer.groups != 1:
        return f"it has {layer.groups} groups: it is depthwise already, or half the way to it"
    if prod(layer.kernel_size) == 1:
        return "its kernel has a single place: it is pointwise already"
    if is_first and not settings.first:
        return "it is the first, which sees few channels; first = true replaces it too"
    if len(set(layer.strides)) > 1:
        return f"its strides {layer.strides} differ, and a depthwise filter has one stride"
    if layer.padding == "causal":
        return "its padding is causal, which Keras's depthwise filters do not have"
    if pair.after[0] >= pair.before[0]:
        return f"it would not pay: {pair.after[0]} weights instead of {pair.before[0]}"
    return None


def _chain(pair: Pair, start: str, generator: Any) -> tuple[Part, ...]:
    """The two layers; the second has the name, the bias and the activation of the convolution."""
    layer = pair.layer
    config = layer.get_config()
    kept = {key: config[key] for key in _KEPT}
    depthwise = _DEPTHWISE[type(layer)](
        depth_multiplier=pair.multiplier, use_bias=False, name=f"{layer.name}_depthwise", **kept
    )
    one = (1,) * len(layer.kernel_size)
    changed = {"kernel_size": one, "strides": one, "dilation_rate": one, "kernel_constraint": None}
    pointwise = type(layer).from_config(config | changed)
    if start == "kernel":
        filters, spread = nearest(layer.kernel.numpy(), pair.multiplier)
    else:
        filters, spread = _random(layer.kernel.shape, pair.multiplier, generator)
    bias = [layer.bias.numpy()] if layer.bias is not None else []
    return (
        Part(depthwise, [filters.astype(np.float32)]),
        Part(pointwise, [spread.reshape(*one, *spread.shape).astype(np.float32), *bias]),
    )


def _random(shape: tuple[int, ...], multiplier: int, generator: Any) -> tuple[Array, Array]:
    """Return kernels like those of a new layer."""
    *places, inputs, outputs = shape
    initial = keras.initializers.GlorotUniform(seed=generator)
    # Each filter reads its own channel only.
    filters = initial((*places, 1, inputs * multiplier)).numpy() * np.sqrt(inputs)
    return filters.reshape(*places, inputs, multiplier), initial((inputs * multiplier, outputs)).numpy()
