"""Train `digits`: a small CNN on scikit-learn's handwritten digits, 8x8 pixels, 10 classes.

Run it as ``python models/digits/train.py``; it writes data.npz and model.keras beside itself.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import keras
import numpy as np
from numpy.typing import NDArray

FOLDER = Path(__file__).resolve().parent
SEED = 1
EPOCHS = 40
# Pixels are 0..16: with this scale int8 holds them exactly.
SCALE, ZERO_POINT = 1 / 16, 0


def make_data() -> dict[str, NDArray[Any]]:
    """Split the 1,797 digits three to one, each class alike.

    Returns:
        x_*: int8, (n, 8, 8, 1), real = x_scale * (q - x_zero_point); y_*: uint8, (n,).
    """
    from sklearn.datasets import load_digits
    from sklearn.model_selection import train_test_split

    images, labels = load_digits(return_X_y=True)
    x = images.astype(np.int8).reshape(-1, 8, 8, 1)
    y = labels.astype(np.uint8)
    x_train, x_test, y_train, y_test = train_test_split(x, y, test_size=0.25, random_state=SEED, stratify=y)
    return {
        "x_train": x_train,
        "y_train": y_train,
        "x_test": x_test,
        "y_test": y_test,
        "x_scale": np.float32(SCALE),
        "x_zero_point": np.int32(ZERO_POINT),
    }


def make_model() -> keras.Model:
    """Two 3x3 convolutions, pooling between and after, one dense layer: 6,234 parameters."""
    layers = keras.layers
    return keras.Sequential(
        [
            layers.Input((8, 8, 1)),
            layers.Conv2D(16, 3, padding="same", use_bias=False, name="conv_1"),
            # Momentum 0.9: in a short training the statistics would lag behind at the default 0.99.
            layers.BatchNormalization(momentum=0.9, name="norm_1"),
            layers.ReLU(name="relu_1"),
            layers.MaxPooling2D(2, name="pool_1"),
            layers.Conv2D(32, 3, padding="same", use_bias=False, name="conv_2"),
            layers.BatchNormalization(momentum=0.9, name="norm_2"),
            layers.ReLU(name="relu_2"),
            layers.MaxPooling2D(2, name="pool_2"),
            layers.Flatten(name="flatten"),
            layers.Dropout(0.25, seed=SEED, name="dropout"),
            layers.Dense(10, activation="softmax", name="classes"),
        ],
        name="digits",
    )


def main() -> None:
    """Make the data, train, write both, print the accuracy."""
    keras.utils.set_random_seed(SEED)
    data = make_data()
    np.savez_compressed(FOLDER / "data.npz", **data)
    x_train, x_test = (
        (data[name].astype(np.float32) - ZERO_POINT) * np.float32(SCALE) for name in ("x_train", "x_test")
    )
    model = make_model()
    steps = EPOCHS * int(np.ceil(len(x_train) / 32))
    rate = keras.optimizers.schedules.CosineDecay(3e-3, steps)
    model.compile(
        keras.optimizers.Adam(rate),
        "sparse_categorical_crossentropy",
        metrics=["accuracy"],
        jit_compile=False,
    )
    model.fit(x_train, data["y_train"], batch_size=32, epochs=EPOCHS, verbose=2)
    _, accuracy = model.evaluate(x_test, data["y_test"], verbose=0)
    # Only the weights matter from here on; the optimizer's would treble the file.
    plain = keras.Sequential.from_config(model.get_config())
    plain.set_weights(model.get_weights())
    plain.save(FOLDER / "model.keras")
    count = model.count_params()
    print(f"digits: {count} parameters, accuracy {accuracy:.4f} on {len(x_test)} test digits")


if __name__ == "__main__":
    main()
