"""Masks that hold weights at zero, without wrapper layers.

A mask is the `constraint` of its variable: the optimizer applies it after every update, inside the compiled
training step. Keras reads constraints when it traces that step, so masks are attached before `compile`;
attached after a first `fit` they would be ignored in silence. Hence `verify`, called after every epoch.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import keras
import numpy as np
from numpy.typing import NDArray

from edgekit.errors import ModelError, UnknownNameError, UntrustworthyError

# Attributes that hold weight matrices: a layer is pruned for what it has, not for what it is called.
_KERNELS = ("kernel", "pointwise_kernel", "recurrent_kernel", "depthwise_kernel")


@dataclass(frozen=True, slots=True, eq=False)
class MaskedKernel:
    """One weight variable and its mask.

    Attributes:
        name: the layer's name, with the variable's where it is not the layer's only kernel.
        variable: the weights.
        mask: same shape, bool; False where the weight is held at zero.
        previous: the constraint that the layer brought; applied first.
    """

    name: str
    variable: keras.Variable
    mask: keras.Variable
    previous: Any


class _HoldZeros(keras.constraints.Constraint):  # type: ignore[misc]  # Keras has no types
    """Sets masked weights to zero, after the layer's own constraint."""

    def __init__(self, mask: keras.Variable, previous: Any) -> None:
        self.mask = mask
        self.previous = previous

    def __call__(self, w: Any) -> Any:
        values = w if self.previous is None else self.previous(w)
        # A product would leave -0.0, and NaN where a weight has run off to infinity.
        return keras.ops.where(self.mask, values, keras.ops.zeros_like(values))


class Masks:
    """The masks of a model's kernels, attached on creation.

    Args:
        model: a built model; its kernels' constraints are replaced until `strip`.
        depthwise: mask depthwise kernels too.
        leave_out: names of layers to leave alone.

    Raises:
        UnknownNameError: `leave_out` names a layer that is not there.
        ModelError: no kernel is left to prune.

    Attributes:
        kernels: what is masked, in the model's order.
        skipped: (layer, reason) of each kernel that is not.
    """

    def __init__(self, model: keras.Model, *, depthwise: bool = False, leave_out: tuple[str, ...] = ()) -> None:
        layers = _layers(model)
        known = {layer.name for layer in layers}
        for name in leave_out:
            if name not in known:
                raise UnknownNameError("layer", name, known)
        kernels: list[MaskedKernel] = []
        skipped: list[tuple[str, str]] = []
        seen: set[int] = set()
        for layer in layers:
            for attribute, variable in _kernels(layer):
                if id(variable) in seen:
                    continue
                seen.add(id(variable))
                name = layer.name if attribute == "kernel" else f"{layer.name}/{attribute}"
                if name in {kernel.name for kernel in kernels}:
                    name = variable.path
                reason = _reason(layer, attribute, variable, depthwise, leave_out)
                if reason is None:
                    kernels.append(_attach(name, variable))
                else:
                    skipped.append((name, reason))
        if not kernels:
            raise ModelError(
                f"no layer of model {model.name!r} has a kernel that may be pruned",
                hint="it needs a Conv or Dense layer that is not left out; depthwise = true adds those",
            )
        self.kernels = tuple(kernels)
        self.skipped = tuple(skipped)

    def update(self, sparsity: float) -> None:
        """Compute every mask anew from the weights' magnitudes, and zero what it masks.

        Args:
            sparsity: fraction of each kernel that becomes zero, 0 <= sparsity < 1.
        """
        for kernel in self.kernels:
            weights = keras.ops.convert_to_numpy(kernel.variable)
            keep = magnitude_mask(weights, sparsity)
            kernel.mask.assign(keep)
            kernel.variable.assign(np.where(keep, weights, np.zeros_like(weights)))

    def verify(self, sparsity: float) -> None:
        """Check that every masked weight is exactly zero and that each mask has the sparsity asked for.

        Args:
            sparsity: the sparsity of the last `update`.

        Raises:
            UntrustworthyError: a mask was not held, or is not the one that was asked for.
        """
        for kernel in self.kernels:
            weights = keras.ops.convert_to_numpy(kernel.variable)
            keep = keras.ops.convert_to_numpy(kernel.mask)
            broken = int(np.count_nonzero(weights[~keep]))
            if broken:
                raise UntrustworthyError(
                    f"{kernel.name}: {broken} of {keep.size} masked weights are not zero after training",
                    hint="the training step ignores weight constraints: a custom train_step must "
                    "apply variable.constraint after each update",
                )
            zeros, expected = int(np.count_nonzero(~keep)), _zeros(keep.size, sparsity)
            if zeros != expected:
                raise UntrustworthyError(
                    f"{kernel.name}: {zeros} of {keep.size} weights are masked, expected {expected}",
                    hint="the pruning schedule did not reach its end; this is an error in EdgeKit: report it",
                )

    def sparsities(self) -> dict[str, float]:
        """Return the fraction of zeros of each masked kernel as it is now."""
        values = {kernel.name: keras.ops.convert_to_numpy(kernel.variable) for kernel in self.kernels}
        return {name: float(np.mean(weights == 0)) for name, weights in values.items()}

    def strip(self) -> None:
        """Give each kernel its own constraint back; the zeros stay."""
        for kernel in self.kernels:
            kernel.variable.constraint = kernel.previous


def magnitude_mask(weights: NDArray[np.floating[Any]], sparsity: float) -> NDArray[np.bool_]:
    """Mask the smallest weights.

    Args:
        weights: any shape.
        sparsity: fraction to mask, 0 <= sparsity < 1.

    Returns:
        bool, same shape: False for round(sparsity * size) weights, but never for all; of equal ones the
        first are masked.

    Example:
        >>> magnitude_mask(np.array([0.5, -0.1, 2.0, 0.1]), 0.5).tolist()
        [True, False, True, False]
    """
    order = np.argsort(np.abs(weights), axis=None, kind="stable")
    keep = np.ones(weights.size, bool)
    keep[order[: _zeros(weights.size, sparsity)]] = False
    return keep.reshape(weights.shape)


def _zeros(size: int, sparsity: float) -> int:
    """Return how many of `size` weights are zero; never all of them, a dead layer computes nothing."""
    return min(round(sparsity * size), size - 1)


def _layers(model: keras.Model) -> list[keras.layers.Layer]:
    """Return every layer once, nested models and layers inside layers included, in the model's order."""
    # Keras's own walk takes nested layers from the end; its public `layers` does not look inside layers.
    found: list[keras.layers.Layer] = []
    for layer in model._flatten_layers(include_self=False, recursive=False):
        if not any(layer is other for other in found):
            found.append(layer)
        found += [inner for inner in _layers(layer) if not any(inner is other for other in found)]
    return found


def _kernels(layer: keras.layers.Layer) -> list[tuple[str, keras.Variable]]:
    """Return (attribute, variable) of each weight matrix of a layer."""
    own = {id(variable) for variable in layer._trainable_variables + layer._non_trainable_variables}
    values = ((attribute, getattr(layer, attribute, None)) for attribute in _KERNELS)
    # Wrappers such as TimeDistributed show the kernel of the layer inside; it is taken there.
    return [(name, value) for name, value in values if isinstance(value, keras.Variable) and id(value) in own]


def _reason(
    layer: keras.layers.Layer,
    attribute: str,
    variable: keras.Variable,
    depthwise: bool,
    leave_out: tuple[str, ...],
) -> str | None:
    """Say why a kernel is not pruned; None when it is."""
    if layer.name in leave_out:
        return "left out by the recipe"
    if not keras.backend.is_float_dtype(variable.dtype):
        return f"its weights are {variable.dtype}, not float"
    is_depthwise = isinstance(layer, (keras.layers.DepthwiseConv1D, keras.layers.DepthwiseConv2D))
    if (is_depthwise or attribute == "depthwise_kernel") and not depthwise:
        return "depthwise: few weights, and each one counts"
    return None


def _attach(name: str, variable: keras.Variable) -> MaskedKernel:
    """Hang an all-True mask on a variable."""
    mask = keras.Variable(np.ones(variable.shape, bool), dtype="bool", trainable=False, name=f"{variable.name}_mask")
    kernel = MaskedKernel(name=name, variable=variable, mask=mask, previous=variable.constraint)
    variable.constraint = _HoldZeros(mask, kernel.previous)
    return kernel
