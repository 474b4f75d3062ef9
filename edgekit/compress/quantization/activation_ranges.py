"""Where a full-integer model rounds its activations, and the ranges that it rounds them in."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import keras
import tensorflow as tf

from edgekit.compress.layers.layer_graph import LayerGraph, graphs_of
from edgekit.tflite.keras_trace.ranges import activation_behind

L = keras.layers
_WEIGHTED = (
    L.Dense,
    L.EinsumDense,
    L.Conv1D,
    L.Conv2D,
    L.Conv3D,
    L.DepthwiseConv1D,
    L.DepthwiseConv2D,
    L.SeparableConv1D,
    L.SeparableConv2D,
    L.Conv1DTranspose,
    L.Conv2DTranspose,
)
_SUMS = (L.Add, L.Subtract, L.Multiply, L.Average)
_OTHERS = (
    L.ReLU,
    L.LeakyReLU,
    L.PReLU,
    L.ELU,
    L.Activation,
    L.Concatenate,
    L.BatchNormalization,
    L.Rescaling,
    L.GlobalAveragePooling1D,
    L.GlobalAveragePooling2D,
)
# These move values, or take the largest: their output is in the range of their input.
_PASSING = (
    L.InputLayer,
    L.MaxPooling1D,
    L.MaxPooling2D,
    L.AveragePooling1D,
    L.AveragePooling2D,
    L.GlobalMaxPooling1D,
    L.GlobalMaxPooling2D,
    L.Flatten,
    L.Reshape,
    L.Permute,
    L.ZeroPadding1D,
    L.ZeroPadding2D,
    L.Cropping1D,
    L.Cropping2D,
    L.UpSampling1D,
    L.UpSampling2D,
    L.RepeatVector,
    L.Dropout,
    L.SpatialDropout1D,
    L.SpatialDropout2D,
    L.GaussianNoise,
    L.Identity,
)
# TFLite gives these a range of its own.
_FIXED = (keras.activations.softmax, keras.activations.sigmoid, keras.activations.tanh)
_KNOWN = (*_WEIGHTED, *_SUMS, *_OTHERS, *_PASSING, L.Softmax)
INPUT, NOWHERE = "", "?"
_NARROWEST = 1e-4
# Of the moving average: some hundred steps count.
_MOMENTUM = 0.99


class ActivationRange(keras.layers.Layer):  # type: ignore[misc]  # Keras has no types
    """Rounds what passes to 256 steps between two ends; in training the ends follow what passes, or are learned."""

    def __init__(self, *, learned: bool, name: str) -> None:
        super().__init__(name=name)
        self.learned, self.observing = learned, False
        self.low = self.add_weight(name="low", initializer="zeros", trainable=learned)
        self.high = self.add_weight(name="high", initializer="zeros", trainable=learned)
        self.built = True

    def call(self, x: Any, training: bool = False) -> Any:
        """Round; while observing only look."""
        if self.observing:
            self._widen(x)
            return x
        if training and not self.learned:
            self._follow(x)
        return tf.quantization.fake_quant_with_min_max_vars(x, *self._clipped())

    def step(self) -> Any:
        """Return the real value of one step, a tensor without a gradient."""
        low, high = self._clipped()
        return tf.stop_gradient((high - low) / 255)

    def ends(self) -> tuple[float, float]:
        """Return the ends as they round: moved so that 0 is one of the steps."""
        step, low = float(self.step()), min(float(self.low.numpy()), 0.0)
        zero = round(-low / step)
        return -zero * step, (255 - zero) * step

    def _clipped(self) -> tuple[Any, Any]:
        low = tf.minimum(tf.convert_to_tensor(self.low.value), 0.0)
        return low, tf.maximum(tf.maximum(tf.convert_to_tensor(self.high.value), low + _NARROWEST), 0.0)

    def _widen(self, x: Any) -> None:
        self.low.assign(keras.ops.minimum(self.low, keras.ops.min(x)))
        self.high.assign(keras.ops.maximum(self.high, keras.ops.max(x)))

    def _follow(self, x: Any) -> None:
        for end, seen in ((self.low, keras.ops.min(x)), (self.high, keras.ops.max(x))):
            end.assign(_MOMENTUM * end + (1 - _MOMENTUM) * keras.ops.stop_gradient(seen))


@dataclass(frozen=True, slots=True)
class RoundingPoints:
    """Where a model rounds.

    Attributes:
        points: layer name -> name of the range behind it, "" for the model's input.
        sources: layer name -> the point whose range its input has; layers with several, or an unknown one, are absent.
        unknown: (layer, reason) of layers whose ranges are left to calibration.
    """

    points: dict[str, str]
    sources: dict[str, str]
    unknown: tuple[tuple[str, str], ...]


def rounding_points(model: Any) -> RoundingPoints:
    """Find the layers behind which a full-integer model rounds.

    A layer whose only reader is a ReLU that the converter fuses is not rounded; those that meet in a concatenation
    share a range, as their bytes are copied.

    Args:
        model: functional or sequential, batch normalization folded.
    """
    sources: dict[str, str] = {}
    unknown: list[tuple[str, str]] = []
    graphs = graphs_of(model)
    points: dict[str, str] = {INPUT: INPUT} if _takes_values(graphs[0]) else {}
    for graph in graphs:
        for layer in graph.layers:
            if _is_point(graph, layer):
                points[layer.name] = layer.name
            elif not isinstance(layer, _KNOWN) and not hasattr(layer, "layers"):
                unknown.append((layer.name, f"activations of {type(layer).__name__} get their ranges from calibration"))
    for graph in graphs:
        for layer in graph.layers:
            found = {_point_of(graph, source, points, graph is graphs[0]) for source in graph.sources[id(layer)]}
            if len(found) == 1 and isinstance(layer, _WEIGHTED):
                sources[layer.name] = found.pop()
            elif isinstance(layer, L.Concatenate):
                _join(layer.name, found, points)
    return RoundingPoints(points, sources, tuple(unknown))


def _takes_values(graph: LayerGraph) -> bool:
    """Say whether the model's input is rounded: ids that are looked up in a table are not."""
    inputs = [layer for layer in graph.layers if isinstance(layer, L.InputLayer)]
    readers = [reader for layer in inputs for reader in graph.readers[id(layer)]]
    return not any(isinstance(reader, L.Embedding) for reader in readers)


def _is_point(graph: LayerGraph, layer: Any) -> bool:
    if not isinstance(layer, (*_WEIGHTED, *_SUMS, *_OTHERS)):
        return False
    if isinstance(layer, L.Activation) and layer.activation in _FIXED:
        return False
    fuses = isinstance(layer, (*_WEIGHTED, *_SUMS)) and activation_behind(layer) is None
    reader = graph.only_reader(layer)
    return not (fuses and reader is not None and is_fused_relu(reader))


def is_fused_relu(layer: Any) -> bool:
    """Say whether a layer is a ReLU that becomes part of the operator in front of it."""
    if isinstance(layer, L.Activation):
        return layer.activation in (keras.activations.relu, keras.activations.relu6)
    return (
        isinstance(layer, L.ReLU) and layer.max_value in (None, 6) and not layer.negative_slope and not layer.threshold
    )


def _point_of(graph: LayerGraph, layer: Any, points: dict[str, str], is_outer: bool) -> str:
    """Return the point whose range a layer's output has."""
    while layer.name not in points:
        if isinstance(layer, L.InputLayer):
            return INPUT if is_outer and INPUT in points else NOWHERE
        if not isinstance(layer, _PASSING) or len(graph.sources[id(layer)]) != 1:
            return NOWHERE
        layer = graph.sources[id(layer)][0]
    return str(layer.name)


def _join(name: str, others: set[str], points: dict[str, str]) -> None:
    """Give what meets in a concatenation one range."""
    joined = {points[other] for other in others if other != NOWHERE}
    for point, shared in points.items():
        points[point] = points[name] if shared in joined else shared
