"""The kernels of layers whose weights get other bits: by them their operators are found in the converted file."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from edgekit.errors import ModelError
from edgekit.tflite.quantization_plan import QuantizationPlan

Kernels = dict[str, tuple[NDArray[np.float32], ...]]


def of_plan(layers: tuple[Any, ...], plan: QuantizationPlan) -> Kernels:
    """Return the kernels of the layers that a plan gives 4 bits.

    Returns:
        Layer name -> kernels as rows: shape (channels, weights of a channel).

    Raises:
        ModelError: the model has no such layer, or one that no operator runs with 4 bits.
    """
    found: Kernels = {}
    for name, bits in plan.weight_bits:
        named = [layer for layer in layers if layer.name == name]
        if not named:
            raise ModelError(
                f"the model has no layer {name!r}, for which its quantization plan asks {bits} bits",
                hint="compress the model again: its layers were changed behind the quantization",
            )
        if plan.activation_bits != 8:
            raise ModelError(
                f"layer {name!r} is to have {bits}-bit weights with {plan.activation_bits}-bit activations, which no "
                "kernel computes",
                hint="take 4-bit weights with 8-bit activations, or 8-bit weights with 16-bit ones",
            )
        found[name] = tuple(kernel for layer in named for kernel in rows_of(layer))
        if not found[name]:
            raise ModelError(
                f"layer {name!r} ({type(named[0]).__name__}) cannot have {bits}-bit weights",
                hint="Dense, Conv1D, Conv2D and the depthwise and separable ones can",
            )
    return found


def rows_of(layer: Any) -> tuple[NDArray[np.float32], ...]:
    """Return a layer's kernels, each of shape (channels, weights of a channel); empty for other layers."""
    import keras

    if isinstance(layer, keras.layers.Dense | keras.layers.Conv1D | keras.layers.Conv2D):
        kernels = [np.asarray(layer.kernel.numpy())]
    elif isinstance(layer, keras.layers.DepthwiseConv1D | keras.layers.DepthwiseConv2D):
        kernels = [_depthwise(layer.kernel.numpy())]
    elif isinstance(layer, keras.layers.SeparableConv1D | keras.layers.SeparableConv2D):
        kernels = [_depthwise(layer.depthwise_kernel.numpy()), layer.pointwise_kernel.numpy()]
    else:
        kernels = []
    return tuple(np.ascontiguousarray(kernel.reshape(-1, kernel.shape[-1]).T) for kernel in kernels)


def _depthwise(kernel: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return a depthwise kernel with its channels, input by input, in the last axis."""
    return kernel.reshape(*kernel.shape[:-2], -1)
