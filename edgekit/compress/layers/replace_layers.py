"""Layers replaced by chains of layers, by way of the model's configuration."""

from __future__ import annotations

import copy
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import keras
import numpy as np
from numpy.typing import NDArray

from edgekit.compress.layers.model_copy import own_classes
from edgekit.errors import ModelError

Weights = Sequence[NDArray[np.float32]]


@dataclass(frozen=True, slots=True, eq=False)
class Part:
    """One layer of a chain that takes another's place.

    Attributes:
        layer: not built; only its class and configuration are used.
        weights: what it gets, in the order of `layer.get_weights()`; None leaves it as it was initialized.
    """

    layer: keras.layers.Layer
    weights: Weights | None


Chains = Mapping[keras.layers.Layer, tuple[Part, ...]]


def is_graph(layer: Any) -> bool:
    """Say whether a layer is a model whose configuration lists its layers."""
    return isinstance(layer, keras.Sequential) or hasattr(layer, "_operations_by_depth")


def graph_layers(model: keras.Model) -> Iterator[keras.layers.Layer]:
    """Yield the layers that can be replaced: those of the model and of the models nested in it, in their order."""
    if not is_graph(model) or "layers" not in model.get_config():
        return
    for layer in model.layers:
        if is_graph(layer):
            yield from graph_layers(layer)
        else:
            yield layer


def replace_layers(model: keras.Model, chains: Chains) -> keras.Model:
    """Copy a model with some layers replaced.

    The last layer of a chain should bear the name of the one that it replaces: then what reads it stays as it was.

    Args:
        model: functional, sequential or nested; never changed.
        chains: layer of `graph_layers(model)` -> layers of one input and one output that take its place.

    Returns:
        A model of the same class, not compiled; the other layers have the weights that they had.

    Raises:
        ModelError: a class of the model cannot be made from its configuration.
        ValueError: a chain does not end with the name of its layer.
    """
    for layer, chain in chains.items():
        if chain[-1].layer.name != layer.name:
            raise ValueError(f"the chain for {layer.name!r} ends with {chain[-1].layer.name!r}")
    config = copy.deepcopy(model.get_config())
    _expand(model, config, chains)
    try:
        with own_classes(model):
            replaced: keras.Model = type(model).from_config(config)
    except (TypeError, ValueError, NotImplementedError, KeyError) as error:
        raise ModelError(
            f"model {model.name!r} cannot be built anew: {str(error).strip().splitlines()[0]}",
            hint="give custom classes a get_config and keras.saving.register_keras_serializable; replace Lambda layers",
        ) from error
    _give_weights(replaced, model, chains)
    return replaced


def _expand(model: Any, config: dict[str, Any], chains: Chains) -> None:
    """Change a model's configuration in place."""
    described = {layer["config"]["name"]: layer for layer in config["layers"]}
    for layer in model.layers:
        entry = described[layer.name]
        if is_graph(layer) and "layers" in entry["config"]:
            _expand(layer, entry["config"], chains)
    replaced = {layer.name: chain for layer, chain in chains.items() if any(layer is own for own in model.layers)}
    config["layers"] = [
        part
        for name, entry in described.items()
        for part in (_chain_entries(entry, replaced[name]) if name in replaced else [entry])
    ]


def _chain_entries(entry: dict[str, Any], chain: tuple[Part, ...]) -> list[dict[str, Any]]:
    """Describe a chain; its first layer is called with what the replaced one was called with."""
    entries = [keras.saving.serialize_keras_object(part.layer) for part in chain]
    if "inbound_nodes" not in entry:
        return entries
    calls = entry["inbound_nodes"]
    for described, part in zip(entries, chain, strict=True):
        described["name"] = part.layer.name
        described["inbound_nodes"] = calls
        calls = [_call_of(part.layer.name, number) for number in range(len(calls))]
    return entries


def _call_of(name: str, number: int) -> dict[str, Any]:
    """A call with the output of call `number` of layer `name`."""
    # Keras reads the shape from the layer; it only has to be one.
    tensor = {"shape": (), "dtype": "float32", "keras_history": [name, number, 0]}
    return {"args": ({"class_name": "__keras_tensor__", "config": tensor},), "kwargs": {}}


def _give_weights(target: Any, source: Any, chains: Chains) -> None:
    """Copy all weights, layer by layer; a chain gets its own."""
    made = {layer.name: layer for layer in target.layers}
    for layer in source.layers:
        if layer in chains:
            for part in chains[layer]:
                if part.weights is not None:
                    made[part.layer.name].set_weights(list(part.weights))
        elif is_graph(layer):
            _give_weights(made[layer.name], layer, chains)
        else:
            made[layer.name].set_weights(layer.get_weights())
