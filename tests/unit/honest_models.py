"""Writes models of many Keras layers in all forms; runs in a worker, so that pytest never imports TensorFlow."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from edgekit.progress import Progress


def write(request: dict[str, Any], progress: Progress) -> dict[str, Any]:
    """Write every model into the folder of the request: .keras, .h5 and SavedModel."""
    import keras

    folder = Path(request["folder"])
    for name, model in _models(keras).items():
        progress(name)
        model.save(folder / f"{name}.keras")
        model.save(folder / f"{name}.h5")
    for name in ("images", "loops"):
        _models(keras)[name].export(folder / f"{name}_saved", verbose=False)
    return {}


def _models(keras: Any) -> dict[str, Any]:
    layers, ops = keras.layers, keras.ops
    image, sequence, tokens = keras.Input((8, 8, 3)), keras.Input((5, 4)), keras.Input((5,), dtype="int32")
    x = layers.Conv2D(4, 3, activation="relu", kernel_regularizer="l2", kernel_constraint="non_neg")(image)
    x = layers.BatchNormalization()(layers.SeparableConv2D(4, 3, depthwise_initializer="he_normal")(x))
    x = layers.Rescaling(1 / 255)(layers.PReLU()(x))
    x = ops.mean(ops.clip(x, -1, 1) * 2.0, axis=(1, 2))
    images = keras.Model(image, layers.Dense(3, activation=keras.activations.gelu)(layers.Dropout(0.1)(x)))
    images.compile("adam", loss="sparse_categorical_crossentropy", metrics=["accuracy"])
    y = layers.Bidirectional(layers.LSTM(3, unroll=True, return_sequences=True))(sequence)
    y = layers.TimeDistributed(layers.Dense(2))(layers.GRU(3, unroll=True, return_sequences=True)(y))
    loops = keras.Model(sequence, layers.Flatten()(y))
    z = layers.Embedding(10, 8)(tokens)
    z = layers.LayerNormalization()(z + layers.MultiHeadAttention(2, 4)(z, z))
    attention = keras.Model(tokens, layers.GlobalAveragePooling1D()(z))
    inner = keras.Sequential([layers.Input((6,)), layers.Dense(4, activation="swish"), layers.Softmax()])
    nested = keras.Sequential([layers.Input((6,)), inner, layers.Dense(2)])
    normal = layers.Normalization(mean=[1.0, 2.0], variance=[1.0, 4.0])
    tables = keras.Sequential([layers.Input((2,)), normal, layers.Dense(1)])
    return {"images": images, "loops": loops, "attention": attention, "nested": nested, "tables": tables}
