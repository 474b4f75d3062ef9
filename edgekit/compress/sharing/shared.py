"""Several layers become one that is called several times, by way of the model's configuration."""

from __future__ import annotations

import copy
import json
import re
from dataclasses import dataclass
from typing import Any

import keras
import numpy as np
from numpy.typing import NDArray

from edgekit.compress.layers.model_copy import own_classes
from edgekit.errors import ModelError, UnknownNameError

# Statistics belong to one place in a model.
_OWN_STATISTICS = (keras.layers.BatchNormalization,)


@dataclass(frozen=True, slots=True, eq=False)
class Group:
    """Layers of one kind and shape, in the model's order; the first one's name stays."""

    layers: tuple[Any, ...]

    @property
    def parameters(self) -> int:
        """Weights of one of them."""
        return int(self.layers[0].count_params())


def named_group(model: keras.Model, names: tuple[str, ...]) -> Group:
    """Return the group of the layers that bear these names.

    Raises:
        UnknownNameError: the model has no such layer.
        ModelError: the layers are not alike, or fewer than two.
    """
    known = {layer.name: layer for layer in model.layers}
    for name in names:
        if name not in known:
            raise UnknownNameError("layer", name, known)
    chosen = tuple(layer for layer in model.layers if layer.name in names)
    kinds = {_kind(layer) for layer in chosen}
    if len(chosen) < 2 or len(kinds) > 1 or None in kinds:
        shapes = ", ".join(f"{layer.name} {[tuple(weight.shape) for weight in layer.weights]}" for layer in chosen)
        raise ModelError(
            f"these layers cannot be one: {shapes}",
            hint="it takes two and more layers of one class, configuration and shape, no model, no BatchNormalization",
        )
    return Group(chosen)


def alike_groups(model: keras.Model, leave_out: tuple[str, ...]) -> tuple[Group, ...]:
    """Return the groups of layers that are alike and whose names differ in numbers alone.

    Args:
        model: a functional model.
        leave_out: names of layers to leave alone.

    Raises:
        UnknownNameError: `leave_out` names a layer that is not there.
    """
    known = {layer.name for layer in model.layers}
    for name in leave_out:
        if name not in known:
            raise UnknownNameError("layer", name, known)
    found: dict[Any, list[Any]] = {}
    for layer in model.layers:
        kind = _kind(layer)
        if kind is not None and layer.name not in leave_out:
            found.setdefault((re.sub(r"_?\d+", "", layer.name), kind), []).append(layer)
    return tuple(Group(tuple(layers)) for layers in found.values() if len(layers) > 1)


def share(model: keras.Model, groups: tuple[Group, ...], start: str) -> keras.Model:
    """Copy a model with one layer for each group.

    Args:
        model: functional; never changed.
        groups: no layer is in two of them.
        start: "mean" or "first": which weights the one layer starts with.

    Returns:
        A functional model, not compiled.
    """
    config = copy.deepcopy(model.get_config())
    described = {entry["config"]["name"]: entry for entry in config["layers"]}
    # Name of a layer that goes -> (name that stays, calls of it that come before).
    instead: dict[str, tuple[str, int]] = {}
    for group in groups:
        kept, *others = (layer.name for layer in group.layers)
        for name in others:
            calls = described[kept]["inbound_nodes"]
            instead[name] = (kept, len(calls))
            described[kept]["inbound_nodes"] = [*calls, *described.pop(name)["inbound_nodes"]]
    config["layers"] = _rewired(list(described.values()), instead)
    for end in ("input_layers", "output_layers"):
        config[end] = _rewired(config[end], instead)
    with own_classes(model):
        shared: keras.Model = type(model).from_config(config)
    starts = {group.layers[0].name: _start(group, start) for group in groups}
    for layer in model.layers:
        if layer.name not in instead:
            shared.get_layer(layer.name).set_weights(starts.get(layer.name) or layer.get_weights())
    return shared


def _kind(layer: Any) -> str | None:
    """What layers must have in common to be one; None where a layer cannot be shared."""
    if isinstance(layer, (keras.Model, *_OWN_STATISTICS)) or not layer.weights:
        return None
    described = {key: value for key, value in layer.get_config().items() if key != "name"}
    shapes = [tuple(weight.shape) for weight in layer.weights]
    return json.dumps([type(layer).__name__, described, shapes], sort_keys=True, default=str)


def _start(group: Group, start: str) -> list[NDArray[np.float32]]:
    weights = [layer.get_weights() for layer in group.layers]
    return weights[0] if start == "first" else [np.mean(same, axis=0) for same in zip(*weights, strict=True)]


def _rewired(value: Any, instead: dict[str, tuple[str, int]]) -> Any:
    """Return a part of a configuration in which outputs of layers that went are those of the layers that stayed."""
    if isinstance(value, dict):
        return {key: _rewired(inner, instead) for key, inner in value.items()}
    if not isinstance(value, list | tuple):
        return value
    if len(value) == 3 and isinstance(value[0], str) and value[0] in instead and isinstance(value[1], int):
        name, before = instead[value[0]]
        return [name, before + value[1], value[2]]
    return type(value)(_rewired(inner, instead) for inner in value)
