"""One matrix where a model had two: an embedding that is read in reverse in the place of its output layer."""

from __future__ import annotations

import copy
from dataclasses import dataclass
from typing import Any

import keras
import numpy as np
from numpy.typing import NDArray

from edgekit.compress.layers.model_copy import own_classes
from edgekit.errors import ModelError, UnknownNameError

_HINT = "tying needs an Embedding of n x d, and a Dense that makes n outputs from d inputs"


@dataclass(frozen=True, slots=True, eq=False)
class Pair:
    """An embedding and the Dense layer that can read its table in reverse, both of one functional model."""

    embedding: Any
    output: Any

    @property
    def parameters(self) -> int:
        """Weights of one of the two matrices."""
        return int(self.embedding.input_dim * self.embedding.output_dim)


def as_functional(model: keras.Model) -> keras.Model:
    """Return the model, or a Sequential one as a graph of the same layers.

    Raises:
        ModelError: the model is subclassed.
    """
    if isinstance(model, keras.Sequential) and model.built:
        return keras.Model(model.inputs, model.outputs, name=model.name)
    if not hasattr(model, "_operations_by_depth"):
        raise ModelError(
            f"model {model.name!r} is subclassed or not built: which layer feeds which is hidden in its code",
            hint="write it with the functional API, or call a keras.layers.ReversibleEmbedding in reverse",
        )
    return model


def find_pair(model: keras.Model, embedding: str, output: str) -> Pair:
    """Return the pair that the names say; where a name is empty, the last Dense that fits an embedding.

    Args:
        model: a functional model.
        embedding, output: names of layers, or "".

    Raises:
        UnknownNameError: the model has no such layer.
        ModelError: no two layers fit each other.
    """
    names = [layer.name for layer in model.layers]
    for name in (embedding, output):
        if name and name not in names:
            raise UnknownNameError("layer", name, names)
    tables = [
        layer
        for layer in model.layers
        if isinstance(layer, keras.layers.Embedding) and embedding in ("", layer.name) and not _is_tied(layer)
    ]
    ends = [layer for layer in model.layers if type(layer) is keras.layers.Dense and output in ("", layer.name)]
    for end in reversed(ends):
        for table in tables:
            if tuple(end.kernel.shape) == (table.output_dim, table.input_dim):
                return Pair(table, end)
    shapes = [f"{layer.name} {layer.input_dim} x {layer.output_dim}" for layer in tables]
    shapes += [f"{layer.name} {layer.kernel.shape[0]} -> {layer.kernel.shape[1]}" for layer in ends[-3:]]
    raise ModelError(
        f"no output layer of model {model.name!r} fits an embedding of it: {', '.join(shapes) or 'it has neither'}",
        hint=_HINT,
    )


def tie(model: keras.Model, pair: Pair, keep: str) -> keras.Model:
    """Copy a model with one matrix for both layers.

    Args:
        model: functional; never changed.
        pair: two of its layers.
        keep: "output", "embedding" or "mean": which numbers the matrix starts with.

    Returns:
        A functional model, not compiled. The embedding became a `ReversibleEmbedding` of its name, the output layer
        an `Activation` of its name behind it; a bias became the constant offset of a `Rescaling`.
    """
    config = copy.deepcopy(model.get_config())
    described = {entry["config"]["name"]: entry for entry in config["layers"]}
    table, end = described[pair.embedding.name], described.pop(pair.output.name)
    first = len(table["inbound_nodes"])
    reverse = [{"args": node["args"], "kwargs": {"reverse": True}} for node in end["inbound_nodes"]]
    described[pair.embedding.name] = {
        **_entry(_reversible(pair.embedding)),
        "inbound_nodes": [*table["inbound_nodes"], *reverse],
    }
    calls = [_call(pair.embedding.name, first + number) for number in range(len(reverse))]
    for layer in _behind(pair.output):
        described[layer.name] = {**_entry(layer), "inbound_nodes": calls}
        calls = [_call(layer.name, number) for number in range(len(reverse))]
    config["layers"] = list(described.values())
    with own_classes(model):
        tied: keras.Model = type(model).from_config(config)
    for layer in model.layers:
        if layer is pair.embedding:
            tied.get_layer(layer.name).set_weights([_matrix(pair, keep)])
        elif layer is not pair.output:
            tied.get_layer(layer.name).set_weights(layer.get_weights())
    return tied


def _is_tied(layer: Any) -> bool:
    return isinstance(layer, keras.layers.ReversibleEmbedding) and layer.tie_weights


def _reversible(embedding: Any) -> Any:
    known = ("name", "trainable", "embeddings_initializer", "embeddings_regularizer", "embeddings_constraint")
    config = {key: value for key, value in embedding.get_config().items() if key in known}
    return keras.layers.ReversibleEmbedding(
        embedding.input_dim, embedding.output_dim, mask_zero=embedding.mask_zero, dtype=embedding.dtype_policy, **config
    )


def _behind(output: Any) -> list[Any]:
    """What of a Dense is not its kernel: a bias, an activation; the last one bears its name."""
    activation = keras.layers.Activation(output.activation, name=output.name)
    if not output.use_bias or not np.any(_numbers(output.bias)):
        return [activation]
    return [keras.layers.Rescaling(1.0, offset=_numbers(output.bias), name=f"{output.name}_bias"), activation]


def _matrix(pair: Pair, keep: str) -> NDArray[np.float32]:
    table, kernel = _numbers(pair.embedding.embeddings), _numbers(pair.output.kernel).T
    if keep == "mean":
        return np.asarray((table + kernel) / 2, np.float32)
    return table if keep == "embedding" else kernel


def _numbers(variable: Any) -> NDArray[np.float32]:
    return np.asarray(keras.ops.convert_to_numpy(variable), np.float32)


def _entry(layer: Any) -> dict[str, Any]:
    return {**keras.saving.serialize_keras_object(layer), "name": layer.name}


def _call(name: str, number: int) -> dict[str, Any]:
    """A call with the output of call `number` of layer `name`; Keras takes the shape from the layer."""
    tensor = {"shape": (), "dtype": "float32", "keras_history": [name, number, 0]}
    return {"args": ({"class_name": "__keras_tensor__", "config": tensor},), "kwargs": {}}
