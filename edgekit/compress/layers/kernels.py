"""The layers of a model and the weight matrices in them, nested models and layers inside layers included."""

from __future__ import annotations

from dataclasses import dataclass

import keras

from edgekit.errors import UnknownNameError

# Attributes that hold weight matrices: a layer is pruned for what it has, not for what it is called.
_KERNELS = ("kernel", "pointwise_kernel", "recurrent_kernel", "depthwise_kernel")
_DEPTHWISE = (keras.layers.DepthwiseConv1D, keras.layers.DepthwiseConv2D)


@dataclass(frozen=True, slots=True, eq=False)
class Kernel:
    """One weight matrix.

    Attributes:
        name: the layer's name, with the variable's where it is not the layer's only kernel.
        layer: that holds it.
        variable: the weights.
        is_depthwise: each input channel has weights of its own.
        reason: why it stays as it is; None where it may change.
    """

    name: str
    layer: keras.layers.Layer
    variable: keras.Variable
    is_depthwise: bool
    reason: str | None


def kernels_of(model: keras.Model, leave_out: tuple[str, ...] = ()) -> list[Kernel]:
    """Return every weight matrix of a model once, in the model's order.

    Args:
        model: a built model.
        leave_out: names of layers to leave alone; their kernels come with that reason.

    Raises:
        UnknownNameError: `leave_out` names a layer that is not there.
    """
    layers = layers_of(model)
    known = {layer.name for layer in layers}
    for name in leave_out:
        if name not in known:
            raise UnknownNameError("layer", name, known)
    kernels: dict[int, Kernel] = {}
    for layer in layers:
        for attribute, variable in _variables(layer):
            name = layer.name if attribute == "kernel" else f"{layer.name}/{attribute}"
            if name in {kernel.name for kernel in kernels.values()}:
                name = variable.path
            is_depthwise = attribute == "depthwise_kernel" or isinstance(layer, _DEPTHWISE)
            reason = _reason(layer, variable, leave_out)
            kernels.setdefault(id(variable), Kernel(name, layer, variable, is_depthwise, reason))
    return list(kernels.values())


def layers_of(model: keras.Model) -> list[keras.layers.Layer]:
    """Return every layer once, nested models and layers inside layers included, in the model's order."""
    # Keras's own walk takes nested layers from the end; its public `layers` does not look inside layers.
    found: list[keras.layers.Layer] = []
    for layer in model._flatten_layers(include_self=False, recursive=False):
        if not any(layer is other for other in found):
            found.append(layer)
        found += [inner for inner in layers_of(layer) if not any(inner is other for other in found)]
    return found


def _variables(layer: keras.layers.Layer) -> list[tuple[str, keras.Variable]]:
    """Return (attribute, variable) of each weight matrix of a layer."""
    own = {id(variable) for variable in layer._trainable_variables + layer._non_trainable_variables}
    values = ((attribute, getattr(layer, attribute, None)) for attribute in _KERNELS)
    # Wrappers such as TimeDistributed show the kernel of the layer inside; it is taken there.
    return [(name, value) for name, value in values if isinstance(value, keras.Variable) and id(value) in own]


def _reason(layer: keras.layers.Layer, variable: keras.Variable, leave_out: tuple[str, ...]) -> str | None:
    if layer.name in leave_out:
        return "left out by the recipe"
    if not keras.backend.is_float_dtype(variable.dtype):
        return f"its weights are {variable.dtype}, not float"
    return None
