"""Nearest UpSampling2D as RESIZE_NEAREST_NEIGHBOR; Keras writes it as repeats, which become TILE."""

from __future__ import annotations

from typing import Any

from edgekit.tflite.keras_trace import Replacement, TraceContext


def replacements(_: TraceContext) -> list[Replacement]:
    """Return the method that resizes, for nearest and channels last."""
    import keras
    import tensorflow as tf

    layer = keras.layers.UpSampling2D
    original = layer._resize_images

    def resize(
        self: Any, x: Any, height_factor: int, width_factor: int, data_format: str, interpolation: str = "nearest"
    ) -> Any:
        if interpolation != "nearest" or data_format != "channels_last" or None in x.shape[1:3]:
            return original(self, x, height_factor, width_factor, data_format, interpolation)
        size = (x.shape[1] * height_factor, x.shape[2] * width_factor)
        return tf.compat.v1.image.resize_nearest_neighbor(x, size)

    return [Replacement(layer, "_resize_images", resize)]
