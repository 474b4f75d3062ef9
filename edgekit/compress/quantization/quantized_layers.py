"""Which layers of a model get how many bits."""

from __future__ import annotations

from typing import Any

import keras

from edgekit.compress.quantization.weight_grid import can_have_four_bits, grids
from edgekit.errors import UnknownNameError, UsageError
from edgekit.tflite.quantization_plan import QuantizationPlan

Skipped = tuple[tuple[str, str], ...]
_DEPTHWISE = (keras.layers.DepthwiseConv1D, keras.layers.DepthwiseConv2D)


def bits_of(
    model: Any, bits: int, plan: QuantizationPlan, *, depthwise: bool, leave_out: tuple[str, ...]
) -> tuple[dict[str, int], Skipped]:
    """Choose the bits of each layer's weights.

    Args:
        model: any built model.
        bits: 8, or 4 for what can have them.
        plan: layers that it gives 4 bits keep them.
        depthwise: 4 bits for depthwise layers too.
        leave_out: names of layers that keep 8 bits.

    Returns:
        Layer name -> 8 or 4 for each Dense and convolution, in the model's order; and (layer, reason) of those that
        keep 8 although 4 were asked, and of layers whose weights the converter rounds by itself.

    Raises:
        UnknownNameError: `leave_out` names a layer that the model has not.
        UsageError: 4 bits together with 16-bit activations.
    """
    layers = list(model._flatten_layers(include_self=False))
    for name in leave_out:
        if name not in {layer.name for layer in layers}:
            raise UnknownNameError("layer", name, [layer.name for layer in layers if grids(layer, 8)])
    planned = {name for name, own in plan.weight_bits if own == 4}
    if plan.activation_bits == 16 and (bits == 4 or planned):
        raise UsageError(
            "4-bit weights together with 16-bit activations: no kernel computes that",
            hint="take 8-bit weights, or 8-bit activations",
        )
    chosen: dict[str, int] = {}
    skipped: list[tuple[str, str]] = []
    outer = [layer for layer in layers if not hasattr(layer, "layers")]
    inside = {id(inner) for layer in outer for inner in layer._flatten_layers(include_self=False)}
    for layer in layers:
        if not grids(layer, 8):
            if layer in outer and id(layer) not in inside and _has_kernel(layer):
                skipped.append((layer.name, f"weights of {type(layer).__name__}: the converter rounds them, to 8 bits"))
            continue
        reason = _reason(layer, depthwise, leave_out)
        asked = layer.name in planned or bits == 4
        if asked and reason and layer.name not in planned:
            skipped.append((layer.name, reason))
        chosen[layer.name] = 4 if layer.name in planned or (bits == 4 and not reason) else 8
    return chosen, tuple(skipped)


def _reason(layer: Any, depthwise: bool, leave_out: tuple[str, ...]) -> str:
    """Say why a layer keeps 8 bits; "" where it can have 4."""
    if layer.name in leave_out:
        return "left out: 8 bits"
    if not can_have_four_bits(layer):
        return f"{type(layer).__name__}: TFLM has no kernel for 4-bit weights, so 8 bits"
    if isinstance(layer, _DEPTHWISE) and not depthwise:
        return "depthwise: 8 bits, as its few weights count much (depthwise = true gives it 4)"
    return ""


def _has_kernel(layer: Any) -> bool:
    return any(len(weight.shape) >= 2 for weight in layer.weights) and not isinstance(layer, keras.layers.Embedding)
