"""argmax and argmin as one operator; Keras guards them against negative zeros with bit operations."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from edgekit.tflite.keras_trace import Replacement, TraceContext


def replacements(_: TraceContext) -> list[Replacement]:
    """Return both functions of the backend, which layers and operations of Keras call."""
    import tensorflow as tf
    from keras.src.backend import numpy

    return [
        Replacement(numpy, "argmax", _arg(tf.argmax)),
        Replacement(numpy, "argmin", _arg(tf.argmin)),
    ]


def _arg(find: Callable[..., Any]) -> Callable[..., Any]:
    def arg(x: Any, axis: int | None = None, keepdims: bool = False) -> Any:
        import tensorflow as tf

        x = tf.convert_to_tensor(x)
        flat = tf.reshape(x, [-1]) if axis is None else x
        found = find(flat, axis=0 if axis is None else axis, output_type=tf.int32)
        if not keepdims:
            return found
        return tf.reshape(found, [1] * len(x.shape)) if axis is None else tf.expand_dims(found, axis)

    return arg
