"""LSTM through its twin of Keras 2, which the converter fuses into one UNIDIRECTIONAL_SEQUENCE_LSTM.

The twin has the same weights in the same order and computes the same, but the graph it traces carries the mark by
which the converter knows it. An eighth of the unrolled form's bytes at 10 steps, and it does not grow with the steps.
"""

from __future__ import annotations

import importlib.util
from typing import Any

from edgekit.tflite.keras_trace import Replacement, TraceContext


def twins(layers: tuple[Any, ...]) -> dict[int, Any]:
    """Build a twin for each LSTM that has one; by the layer's id.

    Left to unrolling: LSTMs that the user unrolled, other activations, and those that return or keep their state.
    """
    import keras

    fusible = [layer for layer in layers if type(layer) is keras.layers.LSTM and _is_fusible(layer)]
    if not fusible or importlib.util.find_spec("tf_keras") is None:
        return {}
    import tf_keras

    found = {}
    for layer in fusible:
        twin = tf_keras.layers.LSTM(
            layer.units,
            return_sequences=layer.return_sequences,
            go_backwards=layer.go_backwards,
            name=layer.name,
        )
        twin.build((1, None, layer.cell.kernel.shape[0]))
        twin.set_weights(layer.get_weights())
        found[id(layer)] = twin
    return found


def replacements(context: TraceContext) -> list[Replacement]:
    """Return the layer's call: that of the twin, where there is one and nothing but the sequence is given."""
    import keras

    original = keras.layers.LSTM.call

    def call(self: Any, sequences: Any, initial_state: Any = None, mask: Any = None, training: bool = False) -> Any:
        twin = context.twins.get(id(self))
        if twin is None or initial_state is not None or mask is not None:
            return original(self, sequences, initial_state=initial_state, mask=mask, training=training)
        return twin(sequences)

    return [Replacement(keras.layers.LSTM, "call", call)] if context.twins else []


def _is_fusible(layer: Any) -> bool:
    import keras

    return (
        not layer.unroll
        and not layer.stateful
        and not layer.return_state
        and layer.use_bias
        and layer.activation is keras.activations.tanh
        and layer.recurrent_activation is keras.activations.sigmoid
    )
