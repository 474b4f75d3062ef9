"""Batch normalization folded into the layer in front of it, so that compression sees the weights that will run."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import keras
import numpy as np
from numpy.typing import NDArray

from edgekit.compress.layers.layer_graph import LayerGraph, is_graph, layer_graph
from edgekit.compress.layers.model_copy import copy_model, own_classes

# The layers that take a batch normalization in.
_LINEAR = (
    keras.layers.Dense,
    keras.layers.Conv1D,
    keras.layers.Conv2D,
    keras.layers.Conv3D,
    keras.layers.DepthwiseConv1D,
    keras.layers.DepthwiseConv2D,
    keras.layers.SeparableConv1D,
    keras.layers.SeparableConv2D,
    keras.layers.Conv1DTranspose,
    keras.layers.Conv2DTranspose,
    keras.layers.Conv3DTranspose,
)
_TRANSPOSED = (keras.layers.Conv1DTranspose, keras.layers.Conv2DTranspose, keras.layers.Conv3DTranspose)
_DEPTHWISE = (keras.layers.DepthwiseConv1D, keras.layers.DepthwiseConv2D)


@dataclass(frozen=True, slots=True, eq=False)
class Folded:
    """A model without the batch normalizations that could be folded.

    Attributes:
        model: a copy, not compiled; layers keep their names.
        folded: names of the batch normalizations that are gone.
        skipped: (name, reason) of those that stayed.
    """

    model: keras.Model
    folded: tuple[str, ...]
    skipped: tuple[tuple[str, str], ...]


def fold_batch_norm(model: keras.Model) -> keras.Model:
    """Fold each batch normalization into the Dense or convolution in front of it.

    Args:
        model: functional, sequential or nested; never changed. In a subclassed model nothing is folded.

    Returns:
        A copy with the same outputs to float32 rounding (about 1e-5), not compiled. `fold` also says what stayed.

    Raises:
        ModelError: the model cannot be copied.

    Example:
        >>> layers = [keras.layers.Input((4,)), keras.layers.Dense(3), keras.layers.BatchNormalization()]
        >>> [type(layer).__name__ for layer in fold_batch_norm(keras.Sequential(layers)).layers]
        ['Dense']

    Source:
        Jacob et al. 2018, "Quantization and Training of Neural Networks", arXiv:1712.05877, section 3.2.
    """
    return fold(model).model


def fold(model: keras.Model) -> Folded:
    """Do what `fold_batch_norm` does, and say which normalizations are gone and which stayed."""
    normalizations = [layer.name for layer in model._flatten_layers() if _is_normalization(layer)]
    config = model.get_config() if is_graph(model) else {}
    if "layers" not in config:
        reason = "the model is subclassed: which layer feeds which is hidden in its code"
        return Folded(copy_model(model), (), tuple((name, reason) for name in normalizations))
    pairs: dict[str, str] = {}
    skipped: list[tuple[str, str]] = []
    _fold_config(model, config, pairs, skipped)
    if not pairs:
        return Folded(copy_model(model), (), tuple(skipped))
    with own_classes(model):
        folded = type(model).from_config(config)
    _give_weights(folded, model, pairs)
    told = {*pairs, *(name for name, _ in skipped)}
    inside = "it lies inside a layer that is no model"
    return Folded(folded, tuple(pairs), (*skipped, *((name, inside) for name in normalizations if name not in told)))


def _is_normalization(layer: Any) -> bool:
    return type(layer) is keras.layers.BatchNormalization


def _fold_config(model: Any, config: dict[str, Any], pairs: dict[str, str], skipped: list[tuple[str, str]]) -> None:
    """Change a model's configuration in place; `pairs` takes normalization -> layer that it is folded into."""
    described = {layer["config"]["name"]: layer for layer in config["layers"]}
    folded: dict[str, str] = {}
    graph = layer_graph(model)
    for layer in graph.layers:
        if is_graph(layer) and "layers" in described[layer.name]["config"]:
            _fold_config(layer, described[layer.name]["config"], pairs, skipped)
        elif _is_normalization(layer):
            source, reason = _source(graph, layer)
            if reason:
                skipped.append((layer.name, reason))
            else:
                folded[layer.name] = source.name
                described[source.name]["config"]["use_bias"] = True
    config["layers"] = [layer for name, layer in described.items() if name not in folded]
    for part in ("layers", "output_layers"):
        if not isinstance(model, keras.Sequential):
            config[part] = _rewired(config[part], folded)
    pairs |= folded


def _source(graph: LayerGraph, normalization: Any) -> tuple[Any, str]:
    """Return the layer that a normalization can be folded into, or the reason why there is none."""
    sources = graph.sources[id(normalization)]
    if len(sources) != 1:
        return None, f"it is called {len(sources)} times"
    source: Any = sources[0]
    if type(source) not in _LINEAR:
        return None, f"its input comes from {type(source).__name__}, which has no weights that could take it"
    if len(graph.sources[id(source)]) != 1:
        return None, f"layer {source.name!r} in front of it is called several times"
    if source.activation is not keras.activations.linear:
        return None, f"layer {source.name!r} in front of it has an activation of its own"
    if graph.only_reader(source) is not normalization:
        return None, f"the output of layer {source.name!r} is also read elsewhere"
    rank = len(normalization.input.shape)
    channels = 1 if getattr(source, "data_format", "") == "channels_first" else rank - 1
    if normalization.axis % rank != channels:
        return None, f"it normalizes axis {normalization.axis}, not the channels of layer {source.name!r}"
    return source, ""


def _rewired(value: Any, folded: dict[str, str]) -> Any:
    """Return a part of a configuration in which what read a folded normalization reads its source."""
    if isinstance(value, dict):
        return {key: _rewired(inner, folded) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        is_history = len(value) == 3 and isinstance(value[0], str) and value[1:] in ([0, 0], (0, 0))
        if is_history and value[0] in folded:
            return type(value)((folded[value[0]], 0, 0))
        return type(value)(_rewired(inner, folded) for inner in value)
    return value


def _give_weights(target: Any, source: Any, pairs: dict[str, str]) -> None:
    """Copy all weights, layer by layer, with the normalizations folded in."""
    originals = {layer.name: layer for layer in source.layers}
    normalizations = {into: originals[name] for name, into in pairs.items() if name in originals}
    for layer in target.layers:
        original = originals[layer.name]
        if is_graph(layer):
            _give_weights(layer, original, pairs)
        elif layer.name in normalizations:
            layer.set_weights(list(_folded_weights(original, normalizations[layer.name])))
        else:
            layer.set_weights(original.get_weights())


def _folded_weights(layer: Any, normalization: Any) -> Iterator[NDArray[np.float32]]:
    """Yield a layer's weights with a normalization folded in, kernels first."""
    mean, variance = (
        value.numpy().astype(np.float64) for value in (normalization.moving_mean, normalization.moving_variance)
    )
    gamma = normalization.gamma.numpy().astype(np.float64) if normalization.scale else 1.0
    beta = normalization.beta.numpy().astype(np.float64) if normalization.center else 0.0
    factor = gamma / np.sqrt(variance + normalization.epsilon)
    bias = layer.bias.numpy().astype(np.float64) if layer.use_bias else 0.0
    *before, kernel = (weight for weight in layer.get_weights()[: len(layer.get_weights()) - layer.use_bias])
    yield from before
    if isinstance(layer, _TRANSPOSED):
        yield (kernel * factor[:, np.newaxis]).astype(np.float32)
    elif isinstance(layer, _DEPTHWISE):
        yield (kernel * factor.reshape(kernel.shape[-2:])).astype(np.float32)
    else:
        yield (kernel * factor).astype(np.float32)
    yield (beta + (bias - mean) * factor).astype(np.float32)
