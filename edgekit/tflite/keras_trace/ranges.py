"""Ranges that quantization-aware training learned, told to the converter as fake quantization of a layer's output."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from edgekit.errors import ModelError
from edgekit.tflite.keras_trace import Replacement, TraceContext
from edgekit.tflite.quantization_plan import QuantizationPlan

Ranges = tuple[tuple[str, float, float], ...]


def of_plan(layers: tuple[Any, ...], plan: QuantizationPlan) -> Ranges:
    """Return the ranges of a plan; 16-bit activations are fine enough to be calibrated.

    Raises:
        ModelError: a range for a layer that the model has not.
    """
    known = {"", *(layer.name for layer in layers)}
    lost = [name for name, _, _ in plan.ranges if name not in known]
    if lost:
        raise ModelError(
            f"the model has no layer {lost[0]!r}, for which its quantization plan has a range",
            hint="compress the model again: its layers were changed behind the quantization-aware training",
        )
    return plan.ranges if plan.activation_bits == 8 else ()


def replacements(context: TraceContext) -> list[Replacement]:
    """Return the call, or the activation, of each layer that has a range."""
    known = {name: (low, high) for name, low, high in context.ranges}
    made = []
    for layer in (layer for layer in context.layers if layer.name in known):
        activation = activation_behind(layer)
        low, high = known[layer.name]
        if activation is None:
            made.append(Replacement(layer, "call", _behind(layer.call, low, high)))
        else:
            made.append(Replacement(layer, "activation", _in_front(activation, low, high)))
    return made


def activation_behind(layer: Any) -> Any:
    """Return the activation in front of which a layer is rounded: its own one, where it is none that is fused.

    A ReLU becomes part of the operator; softmax and the like are operators of their own, whose input has a range.
    """
    import keras

    own = getattr(layer, "activation", None)
    functions = keras.activations
    if own in (None, functions.linear, functions.relu, functions.relu6):
        return None
    return None if isinstance(layer, keras.layers.Activation | keras.layers.RNN) else own


def at_input(inputs: Any, context: TraceContext) -> Any:
    """Return the model's input in its range, where it has one."""
    for name, low, high in context.ranges:
        if name == "":
            return fake_quantized(inputs, low, high)
    return inputs


def fake_quantized(x: Any, low: float, high: float) -> Any:
    """Return `x` rounded to the 256 steps of a range, in the form that the converter knows."""
    import tensorflow as tf

    return tf.quantization.fake_quant_with_min_max_args(x, low, high)


def _behind(call: Callable[..., Any], low: float, high: float) -> Callable[..., Any]:
    return lambda *args, **kwargs: fake_quantized(call(*args, **kwargs), low, high)


def _in_front(activation: Callable[..., Any], low: float, high: float) -> Callable[..., Any]:
    return lambda x: activation(fake_quantized(x, low, high))
