"""What a group of channels is worth: to the network, and in bytes and operations."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import keras
import numpy as np
from numpy.typing import NDArray

from edgekit.compress.channels.channels import Ids, weight_names
from edgekit.compress.channels.groups import Graph, Part

Scores = NDArray[np.float64]

# Enough for a ranking, and no more than a part of an epoch.
_TAYLOR_SAMPLES = 2048


def magnitudes(graph: Graph, importance: str) -> Scores:
    """Score every group by its weights.

    Args:
        graph: the channels of a model.
        importance: "l1" or "l2", the norm of all kernel slices that go with a channel (of the layers that make it,
            and of those that read it), each relative to the mean of its layer; or "batch_norm_scale", the size of
            gamma, relative to the layer's mean; groups without a batch normalization have their l2 score then.

    Returns:
        One score a channel number, >= 0; that of a group stands at its root.

    Source:
        Li et al. 2017, "Pruning Filters for Efficient ConvNets", arXiv:1608.08710 (l1); Liu et al. 2017, "Learning
        Efficient Convolutional Networks through Network Slimming", arXiv:1708.06519 (batch normalization); Fang et
        al. 2023, arXiv:2301.12900, section 3.3 (all slices of a group).
    """
    if importance == "batch_norm_scale":
        scale = _mean_slices(graph, lambda values: np.abs(values), only="gamma")
        return np.where(np.isnan(scale), magnitudes(graph, "l2"), scale)
    if importance == "l1":
        return np.nan_to_num(_mean_slices(graph, lambda rows: np.abs(rows).sum(axis=1)))
    return np.nan_to_num(_mean_slices(graph, lambda rows: np.sqrt(np.square(rows).sum(axis=1))))


def taylor(model: keras.Model, graph: Graph, x: NDArray[Any], y: NDArray[Any], loss: Any, batch_size: int) -> Scores:
    """Score every group by what the loss would change, to first order, if all that read it got zeros instead.

    Args:
        model: one input, one output.
        graph: its channels.
        x: samples; the first 2,048 are used.
        y: their targets.
        loss: a Keras loss.
        batch_size: samples a gradient.

    Returns:
        Root mean square of that change over the batches; one score a channel number, that of a group at its root.

    Source:
        Molchanov et al. 2019, "Importance Estimation for Neural Network Pruning", arXiv:1906.10771, equation 8, with
        gates where channels are read.
    """
    import tensorflow as tf

    readers = [(part.cut.weights[name], axis, variable) for part, name, axis, variable in _readers(graph)]
    values = [variable.value for _, _, variable in readers]
    function = keras.losses.get(loss)

    @tf.function  # type: ignore[untyped-decorator]
    def gradients_of(samples: Any, labels: Any) -> Any:
        with tf.GradientTape() as tape:
            tape.watch(values)
            change = tf.reduce_mean(function(labels, model(samples, training=False)))
        return tape.gradient(change, values, unconnected_gradients="zero")

    squares = np.zeros(graph.channels.count)
    starts = range(0, min(len(x), _TAYLOR_SAMPLES), batch_size)
    for start in starts:
        batch = slice(start, start + batch_size)
        gradients = gradients_of(x[batch], y[batch])
        effect = np.zeros(graph.channels.count)
        for (axes, axis, _), value, gradient in zip(readers, values, gradients, strict=True):
            product = np.asarray(value) * np.asarray(gradient)
            np.add.at(effect, graph.channels.roots(axes[axis]), _rows(product, axis).sum(axis=1))
        squares += np.square(effect)
    return np.sqrt(squares / len(starts))


def costs(graph: Graph, quantity: str) -> Scores:
    """Tell what each group costs.

    Args:
        graph: the channels of a model.
        quantity: "parameters", "macs", or "activations" (values that layers with weights put out).

    Returns:
        One cost a channel number; that of a group, all its channels together, stands at its root.
    """
    total = np.zeros(graph.channels.count)
    for part in graph.parts.values():
        if quantity == "activations":
            np.add.at(total, graph.channels.roots(part.cut.output), float(part.positions))
            continue
        for name, ids, size in _slices(part):
            times = 1 if quantity == "parameters" else part.positions if name.endswith("kernel") else 0
            np.add.at(total, graph.channels.roots(ids), float(size * times))
    return total


def _mean_slices(graph: Graph, norm: Callable[[NDArray[Any]], NDArray[Any]], only: str = "") -> Scores:
    """Average the norms of the slices of each group; NaN for a group without any."""
    total, count = np.zeros(graph.channels.count), np.zeros(graph.channels.count)
    for part in graph.parts.values():
        for name, variable in _named(part.layer):
            if name != only if only else len(variable.shape) < 2:
                continue
            values = keras.ops.convert_to_numpy(variable).astype(np.float64)
            for axis, ids in part.cut.weights[name].items():
                norms = norm(values if only else _rows(values, axis))
                roots = graph.channels.roots(ids)
                np.add.at(total, roots, norms / max(norms.mean(), np.finfo(np.float64).tiny))
                np.add.at(count, roots, 1)
    return np.divide(total, count, out=np.full_like(total, np.nan), where=count > 0)


def _readers(graph: Graph) -> Iterator[tuple[Part, str, int, Any]]:
    """Go through the weights that sum over channels."""
    for part in graph.parts.values():
        for name, variable in _named(part.layer):
            if name in part.cut.reads:
                yield part, name, part.cut.reads[name], variable


def _slices(part: Part) -> Iterator[tuple[str, Ids, int]]:
    """Go through the axes that follow channels: name of the weight, channels, values in one slice."""
    for name, variable in _named(part.layer):
        for axis, ids in part.cut.weights[name].items():
            yield name, ids, int(np.prod(variable.shape)) // variable.shape[axis]


def _named(layer: Any) -> Iterator[tuple[str, Any]]:
    """Go through the weights of a layer with their names."""
    return zip(weight_names(layer), layer.weights, strict=True)


def _rows(values: NDArray[Any], axis: int) -> NDArray[Any]:
    """Bring one axis to the front and flatten the others."""
    return np.moveaxis(values, axis, 0).reshape(values.shape[axis], -1)
