"""Bias correction: the mean error that rounded weights bring to a layer's outputs goes into its bias."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import keras
import numpy as np
from numpy.typing import NDArray

from edgekit.compress.layers.layer_graph import LayerGraph, layer_graph
from edgekit.progress import Progress

_SAMPLES, _BATCH = 256, 64


def corrected(
    original: keras.Model, rounded: keras.Model, names: Sequence[str], x: NDArray[np.float32], progress: Progress
) -> dict[str, float]:
    """Correct the biases of a model with rounded weights, in place, layer by layer from the input on.

    Each layer is compared in front of its activation, and behind those that were corrected before it. Layers of
    nested models keep their biases.

    Args:
        original: with the weights before rounding.
        rounded: the same layers, rounded; its biases change.
        names: layers with rounded weights.
        x: samples, shape (n, *input); some hundred count.
        progress: told each layer.

    Returns:
        Layer name -> largest change of its bias.

    Source:
        Nagel et al. 2019, "Data-Free Quantization", arXiv:1906.04721, section 4.2 and appendix D (empirical).
    """
    samples = x[:_SAMPLES]
    old, new = layer_graph(original), layer_graph(rounded)
    layers = [layer for layer in new.layers if layer.name in names and layer.use_bias]
    by_name = {layer.name: layer for layer in old.layers}
    changes: dict[str, float] = {}
    for number, layer in enumerate(layers, 1):
        progress("correcting biases", number, len(layers))
        before = _means(old, by_name[layer.name], samples)
        after = _means(new, layer, samples)
        error = after - before
        layer.bias.assign_sub(error.astype(np.float32))
        changes[layer.name] = float(np.abs(error).max())
    return changes


def _means(graph: LayerGraph, layer: Any, x: NDArray[np.float32]) -> NDArray[np.float64]:
    """Return the mean of each channel in front of a layer's activation."""
    activation = layer.activation
    layer.activation = keras.activations.linear
    try:
        probe = keras.Model(list(graph.inputs) if len(graph.inputs) > 1 else graph.inputs[0], graph.outputs[id(layer)])
        first = getattr(layer, "data_format", "") == "channels_first"
        sums = [_sums(np.asarray(probe(batch)), first=first) for batch in _batches(x)]
    finally:
        layer.activation = activation
    return np.sum([total for total, _ in sums], axis=0) / sum(count for _, count in sums)  # type: ignore[no-any-return]


def _sums(y: NDArray[Any], *, first: bool) -> tuple[NDArray[np.float64], int]:
    channels = np.moveaxis(y, 1, -1) if first else y
    rows = channels.reshape(-1, channels.shape[-1]).astype(np.float64)
    return rows.sum(axis=0), len(rows)


def _batches(x: NDArray[np.float32]) -> Iterator[NDArray[np.float32]]:
    return (x[start : start + _BATCH] for start in range(0, len(x), _BATCH))
