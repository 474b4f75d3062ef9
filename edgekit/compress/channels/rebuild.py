"""A model built anew with fewer channels."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import keras
import numpy as np
from numpy.typing import NDArray

from edgekit.compress.channels.channels import Ids, weight_names
from edgekit.compress.channels.groups import Graph, Part, functional, layers_of
from edgekit.compress.layers.model_copy import own_classes
from edgekit.errors import ModelError, UntrustworthyError

# Of the largest output. Deep networks sum up float32 rounding to some 1e-6; a wrong channel shows in the first digits.
_ROUNDING = 1e-3

Keep = Callable[[Ids], NDArray[np.bool_]]


def rebuild(model: keras.Model, graph: Graph, dropped: set[int]) -> keras.Model:
    """Build the model without some of its groups.

    Args:
        model: never changed.
        graph: its channels.
        dropped: roots of the groups that go; none of them frozen.

    Returns:
        A model of the same classes and layer names, not compiled, with the weights that are left.

    Raises:
        ModelError: a class of the model cannot be made from its configuration.
    """
    keep = keeper(graph, dropped)
    config = model.get_config()
    _edit(config, graph.parts, keep, "")
    try:
        with own_classes(model):
            smaller = type(model).from_config(config)
    except (TypeError, ValueError, NotImplementedError, KeyError) as error:
        raise ModelError(
            f"model {model.name!r} cannot be built anew: {str(error).strip().splitlines()[0]}",
            hint="give custom classes a get_config and keras.saving.register_keras_serializable; replace Lambda layers",
        ) from error
    for (path, before), (_, after) in zip(layers_of(model), layers_of(smaller), strict=True):
        if functional(before) is None:
            after.set_weights(_weights(before, graph.parts.get(path), keep))
    return smaller


def zeroed(model: keras.Model, graph: Graph, dropped: set[int], x: Any) -> list[NDArray[Any]]:
    """Run the original as if the dropped channels were zero wherever they are made and read: what `rebuild` promises.

    Args:
        model: never changed.
        graph: its channels.
        dropped: roots of the groups that go.
        x: inputs, as the model takes them.

    Returns:
        The outputs, in order.
    """
    keep = keeper(graph, dropped)
    values = []
    for part in graph.parts.values():
        for variable in getattr(part.layer, "weights", ()):
            value = keras.ops.convert_to_numpy(variable).copy()
            for axis, ids in part.cut.weights[variable.name].items():
                np.moveaxis(value, axis, 0)[~keep(ids)] = 0
            values.append((variable, keras.ops.convert_to_tensor(value)))
    with keras.StatelessScope(state_mapping=values):
        return _outputs(model, x)


def verify(model: keras.Model, smaller: keras.Model, graph: Graph, dropped: set[int], x: Any) -> None:
    """Check a rebuilt model against its promise.

    Args:
        model: the original.
        smaller: what `rebuild` made of it.
        graph: channels of the original.
        dropped: roots of the groups that went.
        x: a few samples.

    Raises:
        UntrustworthyError: the outputs differ by more than rounding explains.
    """
    for expected, got in zip(zeroed(model, graph, dropped, x), _outputs(smaller, x), strict=True):
        difference = np.abs(got - expected).max() / max(np.abs(expected).max(), np.finfo(np.float32).tiny)
        if difference > _ROUNDING:
            raise UntrustworthyError(
                f"the pruned model differs from the original with the same channels zeroed by {difference:.1e}",
                hint="this is an error in EdgeKit: report it; leave_out the layers that look unusual meanwhile",
            )


def _outputs(model: keras.Model, x: Any) -> list[NDArray[Any]]:
    return [keras.ops.convert_to_numpy(output) for output in keras.tree.flatten(model(x, training=False))]


def keeper(graph: Graph, dropped: set[int]) -> Keep:
    """Return the function that tells which channels of a tensor stay."""
    gone = np.array(sorted(dropped), np.int64)
    return lambda ids: ~np.isin(graph.channels.roots(ids), gone)


def _edit(config: dict[str, Any], parts: dict[str, Part], keep: Keep, prefix: str) -> None:
    """Write the new sizes into the configuration of a model, and of the models in it."""
    config.pop("build_input_shape", None)
    for entry in config["layers"]:
        # It holds the shapes of before; a layer is built anew when the graph calls it.
        entry.pop("build_config", None)
        entry.pop("compile_config", None)
        inner = entry["config"]
        path = prefix + inner.get("name", "")
        if path in parts:
            sizes = {key: int(keep(ids).sum()) for key, ids in parts[path].cut.sizes.items()}
            inner.update({key: _sized(inner[key], size) for key, size in sizes.items()})
        if isinstance(inner.get("layers"), list):
            _edit(inner, parts, keep, f"{path}/")


def _sized(value: Any, size: int) -> Any:
    """Put a number of channels where the configuration has one: a number, or the end of a shape."""
    if isinstance(value, list | tuple):
        return type(value)((*value[:-1], value[-1] if value[-1] in (-1, None) else size))
    return size


def _weights(layer: Any, part: Part | None, keep: Keep) -> list[NDArray[Any]]:
    """Return what is left of each weight of a layer."""
    values = [keras.ops.convert_to_numpy(variable) for variable in layer.weights]
    if part is None:
        return values
    for index, name in enumerate(weight_names(layer)):
        for axis, ids in part.cut.weights[name].items():
            values[index] = np.compress(keep(ids), values[index], axis=axis)
    return values
