"""Recurrent layers unrolled for the time of tracing: a loop has no int8 form, and the converter crashes on it."""

from __future__ import annotations

from edgekit.tflite.keras_trace import Replacement, TraceContext


def replacements(context: TraceContext) -> list[Replacement]:
    """Return `unroll` of every recurrent layer."""
    import keras
    from keras.src.layers.rnn.conv_lstm import ConvLSTM

    loops = context.of_type(keras.layers.RNN, ConvLSTM)
    return [Replacement(layer, "unroll", True) for layer in loops if not layer.unroll]
