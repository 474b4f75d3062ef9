"""A model that computes in float32 what its full-integer form will compute, and that can be trained so."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import keras
import numpy as np
from numpy.typing import NDArray

from edgekit.compress.layers.model_copy import copy_model
from edgekit.compress.quantization.activation_ranges import (
    INPUT,
    NOWHERE,
    ActivationRange,
    RoundingPoints,
    rounding_points,
)
from edgekit.compress.quantization.weight_grid import Grid, grids, with_zeros_kept
from edgekit.tflite.keras_trace.ranges import activation_behind

_BATCH = 64


class FakeQuantized(keras.Model):  # type: ignore[misc]  # Keras has no types
    """A copy of a model that computes with weights and activations rounded.

    Args:
        model: functional or sequential; never changed.
        bits: layer name -> bits of its weights, 8 or 4; the weights of other layers are not rounded.
        per_channel: a step for each output channel of the weights.
        activations: round these too, to 8 bits.
        learned: ranges are trained with the weights; else they follow what passes (exponential moving average).
    """

    def __init__(
        self,
        model: keras.Model,
        bits: Mapping[str, int],
        *,
        per_channel: bool = True,
        activations: bool = True,
        learned: bool = False,
    ) -> None:
        super().__init__(name=f"{model.name}_rounded")
        self.inner = copy_model(model)
        found = rounding_points(self.inner) if activations else RoundingPoints({}, {}, ())
        points, self.unknown = found.points, found.unknown
        made = {
            name: ActivationRange(learned=learned, name=f"range_{index}")
            for index, name in enumerate(dict.fromkeys(points.values()))
        }
        self.made = list(made.values())
        self.of_point = {name: made[shared] for name, shared in points.items()}
        self.grids: list[Grid] = []
        for layer in self.inner._flatten_layers(include_self=False):
            made_of = grids(layer, bits[layer.name], per_channel=per_channel) if layer.name in bits else ()
            own = tuple(with_zeros_kept(grid) for grid in made_of)
            self.grids += own
            source = self.of_point.get(found.sources.get(layer.name, NOWHERE))
            _round(layer, own, source, self.of_point.get(layer.name))

    def call(self, x: Any, training: bool = False) -> Any:
        """Compute with rounded values."""
        if INPUT in self.of_point:
            x = self.of_point[INPUT](x, training=training)
        _TRAINING.append(training)
        try:
            return self.inner(x, training=training)
        finally:
            _TRAINING.pop()

    def observe(self, x: NDArray[np.float32]) -> None:
        """Set every range to what samples reach; shape (n, *input)."""
        for made in self.made:
            made.observing = True
        for start in range(0, len(x), _BATCH):
            self(x[start : start + _BATCH])
        for made in self.made:
            made.observing = False

    def bake_into(self, model: keras.Model) -> None:
        """Give the model that this is a copy of the weights as they are rounded."""
        before = self.inner.get_weights()
        for grid in self.grids:
            grid.bake()
        model.set_weights(self.inner.get_weights())
        self.inner.set_weights(before)

    def ranges(self) -> tuple[tuple[str, float, float], ...]:
        """Return (layer, lowest, highest) as a quantization plan has them."""
        return tuple((name, *made.ends()) for name, made in self.of_point.items())


# Whether the innermost model that runs is trained: a layer's call is not always told.
_TRAINING: list[bool] = []


def _round(layer: Any, own: Sequence[Grid], source: ActivationRange | None, made: ActivationRange | None) -> None:
    """Give a layer of the copy a call with its weights and its output rounded; `source` is the range of its input."""
    if not own and made is None:
        return
    activation = activation_behind(layer) if made is not None else None
    if activation is not None:
        layer.activation = keras.activations.linear
    call: Callable[..., Any] = layer.call

    def run(*args: Any, **kwargs: Any) -> Any:
        with keras.StatelessScope(state_mapping=_rounded_weights(layer, own, source)):
            y = call(*args, **kwargs)
        # Outside of the scope, in which a range could not be moved.
        y = y if made is None else made(y, training=_TRAINING[-1])
        return y if activation is None else activation(y)

    layer.call = run


def _rounded_weights(layer: Any, own: Sequence[Grid], source: ActivationRange | None) -> list[tuple[Any, Any]]:
    """Return each kernel, and the bias, with its rounded value; a gradient passes as if it were not rounded."""
    rounded = []
    step = None
    for grid in own:
        # A plain tensor: the variable itself would be replaced by what is made here.
        kernel = keras.ops.convert_to_tensor(grid.kernel)
        kernel = kernel if grid.mask is None else kernel * grid.mask
        step = keras.ops.stop_gradient(grid.step(kernel))
        rounded.append((grid.kernel, _straight_through(kernel, grid.snapped(kernel, step))))
    if len(own) == 1 and source is not None and layer.use_bias:
        bias = keras.ops.convert_to_tensor(layer.bias)
        step = keras.ops.reshape(step, (-1,)) * source.step()
        rounded.append((layer.bias, _straight_through(bias, keras.ops.round(bias / step) * step)))
    return rounded


def _straight_through(value: Any, rounded: Any) -> Any:
    return value + keras.ops.stop_gradient(rounded - value)
