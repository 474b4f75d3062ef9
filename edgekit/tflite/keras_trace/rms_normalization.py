"""RMSNormalization as L2_NORMALIZATION, one operator; its scale folds into the next layer or stays one MUL.

x / sqrt(mean(x^2) + e) is sqrt(c) x / sqrt(sum(x^2) + c e). L2_NORMALIZATION takes the larger of sum and c e where
Keras adds them: the same but for an input that is all but zero.
"""

from __future__ import annotations

import math
from typing import Any

from edgekit.tflite.keras_trace import Replacement, TraceContext, _l2


def replacements(_: TraceContext) -> list[Replacement]:
    """Return the layer's call; other axes than the last, and long ones, stay as they are."""
    import keras
    import tensorflow as tf

    layer = keras.layers.RMSNormalization
    original = layer.call

    def call(self: Any, x: Any) -> Any:
        unit = _l2.normalized(x, self.axis, x.shape[-1] * self.epsilon)
        if unit is None:
            return original(self, x)
        return unit * (math.sqrt(x.shape[-1]) * tf.convert_to_tensor(self.scale))

    return [Replacement(layer, "call", call)]
