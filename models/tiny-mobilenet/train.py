"""Train `tiny-mobilenet`: MobileNetV2 at width 0.35 on 32x32 pictures of handwritten digits among clutter.

Run it as ``python models/tiny-mobilenet/train.py``; it writes data.npz and model.keras beside itself.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Any

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import keras
import numpy as np
from numpy.typing import NDArray

from edgekit.architectures import mobilenet_v2

FOLDER = Path(__file__).resolve().parent
sys.path.insert(0, str(FOLDER))
from pictures import LEVELS, SIZE, make_pictures  # noqa: E402 - lies beside this file

SEED = 7
EPOCHS, BATCH, RATE = 3, 64, 3e-3
TRAINED, STORED, TESTED = 32_000, 2_400, 3_000
SCALE, ZERO_POINT = 1 / LEVELS, 0
# Expansion, channels, blocks, stride of the first block: the paper's table 2 with one stride less.
STAGES = ((1, 16, 1, 1), (6, 24, 2, 2), (6, 32, 3, 1), (6, 64, 4, 2), (6, 96, 3, 1), (6, 160, 3, 2), (6, 320, 1, 1))


def make_data() -> tuple[dict[str, NDArray[Any]], tuple[NDArray[np.int8], NDArray[np.uint8]]]:
    """Split the 1,797 digits three to one, then draw pictures of each part: no test digit is ever trained on.

    Returns:
        What data.npz holds: x_*: int8, (n, 32, 32, 1), real = x_scale * (q - x_zero_point); y_*: uint8, (n,).
        And the pictures to train on, of which x_train is the beginning.
    """
    from sklearn.datasets import load_digits
    from sklearn.model_selection import train_test_split

    images, labels = load_digits(return_X_y=True)
    digits = images.astype(np.float32).reshape(-1, 8, 8)
    split = train_test_split(digits, labels.astype(np.uint8), test_size=0.25, random_state=SEED, stratify=labels)
    x_train, y_train = make_pictures(split[0], split[2], TRAINED, SEED)
    x_test, y_test = make_pictures(split[1], split[3], TESTED, SEED + 1)
    stored = {
        "x_train": x_train[:STORED],
        "y_train": y_train[:STORED],
        "x_test": x_test,
        "y_test": y_test,
        "x_scale": np.float32(SCALE),
        "x_zero_point": np.int32(ZERO_POINT),
    }
    return stored, (x_train, y_train)


def make_model() -> keras.Model:
    """MobileNetV2 with two strides left out, so that 2x2 places are left at the end: 293,706 parameters."""
    return mobilenet_v2(
        (SIZE, SIZE, 1),
        10,
        width=0.35,
        downsampling=16,
        stages=STAGES,
        last=256,
        # In a short training the statistics would lag behind at the default 0.99.
        momentum=0.9,
        name="tiny_mobilenet",
    )


def main() -> None:
    """Make the data, train, write both, print the accuracy."""
    keras.utils.set_random_seed(SEED)
    data, (x_train, y_train) = make_data()
    np.savez_compressed(FOLDER / "data.npz", **data)
    x_train, x_test = ((x.astype(np.float32) - ZERO_POINT) * np.float32(SCALE) for x in (x_train, data["x_test"]))
    model = make_model()
    steps = EPOCHS * int(np.ceil(len(x_train) / BATCH))
    rate = keras.optimizers.schedules.CosineDecay(RATE / 10, steps, warmup_target=RATE, warmup_steps=steps // 10)
    model.compile(
        keras.optimizers.Adam(rate), "sparse_categorical_crossentropy", metrics=["accuracy"], jit_compile=False
    )
    model.fit(x_train, y_train, batch_size=BATCH, epochs=EPOCHS, verbose=2)
    _, accuracy = model.evaluate(x_test, data["y_test"], verbose=0)
    # Only the weights matter from here on; the optimizer's would treble the file.
    plain = keras.Model.from_config(model.get_config())
    plain.set_weights(model.get_weights())
    plain.save(FOLDER / "model.keras")
    print(f"tiny-mobilenet: {model.count_params()} parameters, accuracy {accuracy:.4f} on {TESTED} test pictures")


if __name__ == "__main__":
    main()
