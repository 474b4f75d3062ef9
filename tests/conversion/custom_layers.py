"""Layers and functions of a user, registered as Keras wants it: what `--objects` names."""

from __future__ import annotations

from typing import Any

import keras


@keras.saving.register_keras_serializable("matrix")
def doubled(x: Any) -> Any:
    return 2 * x


@keras.saving.register_keras_serializable("matrix")
def gelu_by_tanh(x: Any) -> Any:
    return keras.activations.gelu(x, approximate=True)


@keras.saving.register_keras_serializable("matrix")
class Scaled(keras.layers.Layer):
    def build(self, shape: Any) -> None:
        self.scale = self.add_weight(shape=(shape[-1],), initializer="random_normal", name="scale")

    def call(self, x: Any) -> Any:
        return x * self.scale + keras.ops.tanh(x)
