"""Pairs of layers between which a positive factor can move, and the moving."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import keras
import numpy as np
from numpy.typing import NDArray

from edgekit.compress.layers.layer_graph import LayerGraph, graphs_of
from edgekit.compress.layers.model_copy import own_classes
from edgekit.progress import Progress

L = keras.layers
_DEPTHWISE = (L.DepthwiseConv1D, L.DepthwiseConv2D)
_ENDS = (L.Dense, L.Conv1D, L.Conv2D, *_DEPTHWISE)
# A positive factor for each channel passes through these.
_PASSING = (
    L.MaxPooling1D,
    L.MaxPooling2D,
    L.AveragePooling1D,
    L.AveragePooling2D,
    L.GlobalAveragePooling1D,
    L.GlobalAveragePooling2D,
    L.GlobalMaxPooling1D,
    L.GlobalMaxPooling2D,
    L.ZeroPadding1D,
    L.ZeroPadding2D,
    L.Dropout,
    L.SpatialDropout1D,
    L.SpatialDropout2D,
    L.Flatten,
)
_SETTLED = 1e-3
# A factor beyond would move a channel that is all but dead to where float32 and int8 resolve nothing else.
_LARGEST_FACTOR = 1e4


@dataclass(frozen=True, slots=True, eq=False)
class Pair:
    """Two layers: `second` reads what `first` gives, each value `repeats` times (behind Flatten)."""

    first: Any
    second: Any
    repeats: int


def pairs_of(model: Any) -> tuple[list[Pair], tuple[tuple[str, str], ...]]:
    """Return the pairs of a model, and (layer, reason) of each layer that begins none."""
    pairs: list[Pair] = []
    skipped: list[tuple[str, str]] = []
    for graph in graphs_of(model):
        for layer in graph.layers:
            if isinstance(layer, _ENDS):
                pair, reason = _pair(graph, layer)
                if pair is not None:
                    pairs.append(pair)
                else:
                    skipped.append((layer.name, reason))
    return pairs, tuple(skipped)


def _pair(graph: LayerGraph, first: Any) -> tuple[Pair | None, str]:
    """Walk from a layer to the next one with weights."""
    if len(graph.sources[id(first)]) != 1:
        return None, "it is called several times"
    if not _lets_factors_pass(getattr(first, "activation", None)):
        return None, f"no factor passes through its activation {first.activation.__name__}"
    layer, repeats = graph.only_reader(first), 1
    while layer is not None and not isinstance(layer, _ENDS):
        if isinstance(layer, L.ReLU) and layer.max_value is not None:
            return None, f"ReLU{layer.max_value:g} {layer.name!r} follows (replace_relu6 = true makes it a ReLU)"
        if not _passes(layer) or len(graph.sources[id(layer)]) != 1:
            return None, f"no factor passes through {type(layer).__name__} {layer.name!r}"
        if isinstance(layer, L.Flatten):
            repeats = int(np.prod(layer.input.shape[1:-1]))
        layer = graph.only_reader(layer)
    if layer is None:
        return None, "its output is read by several layers, or is the model's"
    if len(graph.sources[id(layer)]) != 1 or getattr(layer, "groups", 1) != 1:
        return None, f"layer {layer.name!r} behind it is called several times, or works in groups"
    firsts = (first, layer)
    if any(getattr(end, "data_format", "channels_last") != "channels_last" for end in firsts):
        return None, "its channels come first"
    return Pair(first, layer, repeats), ""


def _passes(layer: Any) -> bool:
    if isinstance(layer, L.ReLU):
        return not layer.threshold
    return isinstance(layer, _PASSING) or (isinstance(layer, L.Activation) and _lets_factors_pass(layer.activation))


def _lets_factors_pass(activation: Any) -> bool:
    return activation in (None, keras.activations.linear, keras.activations.relu)


def equalized(pairs: Sequence[Pair], rounds: int, progress: Progress) -> dict[str, tuple[float, float]]:
    """Equalize all pairs in turn until nothing moves.

    Args:
        pairs: their layers' weights change in place.
        rounds: at most.
        progress: told each round.

    Returns:
        Layer name -> largest over smallest range of its output channels, before and after; dead channels left out.
    """
    layers = {end.name: end for pair in pairs for end in (pair.first, pair.second)}
    before = {name: _imbalance(layer) for name, layer in layers.items()}
    for number in range(1, rounds + 1):
        progress("equalizing", number, rounds)
        if max((_equalize(pair) for pair in pairs), default=0.0) < _SETTLED:
            break
    return {name: (before[name], _imbalance(layer)) for name, layer in layers.items()}


def _equalize(pair: Pair) -> float:
    """Move factors between two layers; return the largest change, as a logarithm."""
    first, second = _by_output(pair.first), _by_input(pair.second, pair.repeats)
    ranges = np.abs(first).max(axis=1), np.abs(second).max(axis=1)
    used = (ranges[0] > 0) & (ranges[1] > 0)
    # Equation 11: what comes out is divided by it, what goes in multiplied.
    factor = np.ones(len(used))
    factor[used] = np.clip(np.sqrt(ranges[0][used] / ranges[1][used]), 1 / _LARGEST_FACTOR, _LARGEST_FACTOR)
    _scale_output(pair.first, 1 / factor)
    _scale_input(pair.second, np.tile(factor, pair.repeats))
    return float(np.abs(np.log(factor)).max())


def _by_output(layer: Any) -> NDArray[np.float64]:
    """Return a layer's kernel as rows, one an output channel."""
    kernel = layer.kernel.numpy().astype(np.float64)
    if isinstance(layer, _DEPTHWISE):
        kernel = kernel.reshape(*kernel.shape[:-2], -1)
    return np.ascontiguousarray(kernel.reshape(-1, kernel.shape[-1]).T)


def _by_input(layer: Any, repeats: int) -> NDArray[np.float64]:
    """Return a layer's kernel as rows, one an input channel; behind Flatten a channel comes `repeats` times."""
    kernel = layer.kernel.numpy().astype(np.float64)
    rows = np.moveaxis(kernel, -2, 0).reshape(kernel.shape[-2], -1)
    channels = len(rows) // repeats
    moved: NDArray[np.float64] = np.moveaxis(rows.reshape(repeats, channels, -1), 1, 0).reshape(channels, -1)
    return moved


def _scale_output(layer: Any, factor: NDArray[np.float64]) -> None:
    kernel = layer.kernel.numpy()
    shape = kernel.shape[-2:] if isinstance(layer, _DEPTHWISE) else kernel.shape[-1:]
    layer.kernel.assign(kernel * factor.reshape(shape))
    if layer.use_bias:
        layer.bias.assign(layer.bias.numpy() * factor)


def _scale_input(layer: Any, factor: NDArray[np.float64]) -> None:
    layer.kernel.assign(layer.kernel.numpy() * factor[:, np.newaxis])


def _imbalance(layer: Any) -> float:
    ranges = np.abs(_by_output(layer)).max(axis=1)
    used = ranges[ranges > 0]
    return float(used.max() / used.min()) if len(used) else 1.0


def without_relu6(model: Any) -> tuple[Any, tuple[str, ...]]:
    """Return a copy of a model with ReLU in place of each ReLU6, and the names of those."""
    config = model.get_config()
    names = _replace(config)
    with own_classes(model):
        copy = type(model).from_config(config)
    copy.set_weights(model.get_weights())
    return copy, names


def _replace(config: dict[str, Any]) -> tuple[str, ...]:
    names: tuple[str, ...] = ()
    for layer in config.get("layers", ()):
        own = layer["config"]
        if "layers" in own:
            names += _replace(own)
        elif layer["class_name"] == "ReLU" and own.get("max_value") is not None:
            own["max_value"] = None
            names += (own["name"],)
        elif own.get("activation") == "relu6":
            own["activation"] = "relu"
            names += (own["name"],)
    return names
