"""Layers and functions of a user, registered as Keras wants it: what `--objects` names."""

from __future__ import annotations

from typing import Any

import keras


@keras.saving.register_keras_serializable("matrix")
def gelu_by_tanh(x: Any) -> Any:
    return keras.activations.gelu(x, approximate=True)


@keras.saving.register_keras_serializable("matrix")
class Scaled(keras.layers.Layer):
    def build(self, shape: Any) -> None:
        self.scale = self.add_weight(shape=(shape[-1],), initializer="random_normal", name="scale")

    def call(self, x: Any) -> Any:
        return x * self.scale + keras.ops.tanh(x)


@keras.saving.register_keras_serializable("matrix")
class Looping(keras.layers.Layer):
    """A loop of the user's own, on which the converter crashes in int8."""

    def build(self, shape: Any) -> None:
        self.weight = self.add_weight(shape=(shape[-1], shape[-1]), name="weight")

    def call(self, x: Any) -> Any:
        import tensorflow as tf

        def step(i: Any, state: Any) -> Any:
            return i + 1, tf.tanh(tf.matmul(state, self.weight) + tf.gather(x, i, axis=1))

        return tf.while_loop(lambda i, state: i < x.shape[1], step, [0, tf.zeros_like(x[:, 0])])[1]

    def compute_output_shape(self, shape: Any) -> Any:
        return (shape[0], shape[-1])
