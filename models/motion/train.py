"""Train `motion`: a Conv1D network that tells six activities apart from the sensor at a person's waist.

Run it as ``python models/motion/train.py``; it writes data.npz and model.keras beside itself. All people are simulated
(person.py); those of the test part are not among those of the training part.
"""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import Any

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import keras
import numpy as np
import person
from numpy.typing import NDArray

FOLDER = Path(__file__).resolve().parent
SEED = 5
EPOCHS, BATCH, RATE = 20, 64, 4e-3
# A cheap sensor reads 8 g and 1200 degrees a second in 8 bits: int8 holds its readings as they are.
SCALE = 1 / 16
# People, and windows of each activity of each of them.
TRAIN_PEOPLE, TRAIN_WINDOWS = 100, 10
TEST_PEOPLE, TEST_WINDOWS = 60, 9
# What the repository keeps of the training part, for calibration and fine-tuning: windows of each activity.
KEPT = 100

Part = tuple[NDArray[np.int8], NDArray[np.uint8]]


def make_part(seed: int, people: int, windows: int) -> Part:
    """Draw people and let each do every activity.

    Returns:
        int8, (people * 6 * windows, 128, 6), real = SCALE * q; and the activities' numbers, in mixed order.
    """
    rng = np.random.default_rng(seed)
    crowd = [person.person(rng) for _ in range(people)]
    labels = np.tile(np.repeat(np.arange(len(person.ACTIVITIES)), windows), people).astype(np.uint8)
    owners = np.repeat(np.arange(people), len(person.ACTIVITIES) * windows)
    x = np.stack(
        [
            person.window(rng, crowd[owner], person.ACTIVITIES[label])
            for owner, label in zip(owners, labels, strict=True)
        ]
    )
    order = rng.permutation(len(labels))
    return np.clip(np.round(x / SCALE), -128, 127).astype(np.int8)[order], labels[order]


def make_model() -> keras.Model:
    """Three convolutions of stride 2, their mean over time, one dense layer: 11,398 parameters."""
    layers = keras.layers
    stack: list[Any] = [layers.Input((person.STEPS, person.CHANNELS))]
    for number, (filters, kernel) in enumerate(((16, 5), (32, 5), (48, 5)), 1):
        stack += [
            layers.Conv1D(filters, kernel, strides=2, padding="same", use_bias=False, name=f"conv_{number}"),
            layers.BatchNormalization(momentum=0.9, name=f"norm_{number}"),
            layers.ReLU(name=f"relu_{number}"),
        ]
    stack += [layers.GlobalAveragePooling1D(name="mean")]
    stack += [layers.Dense(len(person.ACTIVITIES), activation="softmax", name="activities")]
    return keras.Sequential(stack, name="motion")


def main() -> None:
    """Make the data, train, write both, print the accuracy."""
    keras.utils.set_random_seed(SEED)
    x, y = make_part(SEED + 1, TRAIN_PEOPLE, TRAIN_WINDOWS)
    x_test, y_test = make_part(SEED + 2, TEST_PEOPLE, TEST_WINDOWS)
    model = make_model()
    rate = keras.optimizers.schedules.CosineDecay(RATE, EPOCHS * int(np.ceil(len(x) / BATCH)))
    model.compile(keras.optimizers.Adam(rate), "sparse_categorical_crossentropy", jit_compile=False)
    start = time.monotonic()
    model.fit(x * np.float32(SCALE), y, batch_size=BATCH, epochs=EPOCHS, verbose=2)
    seconds = time.monotonic() - start
    right = model.predict(x_test * np.float32(SCALE), batch_size=256, verbose=0).argmax(axis=1) == y_test
    kept = np.sort(np.concatenate([np.flatnonzero(y == label)[:KEPT] for label in range(len(person.ACTIVITIES))]))
    arrays = {"x_train": x[kept], "y_train": y[kept], "x_test": x_test, "y_test": y_test}
    np.savez_compressed(FOLDER / "data.npz", **arrays, x_scale=np.float32(SCALE), x_zero_point=np.int32(0))
    # Only the weights matter from here on; the optimizer's would treble the file.
    plain = make_model()
    plain.set_weights(model.get_weights())
    plain.save(FOLDER / "model.keras")
    print(
        f"motion: {model.count_params()} parameters, trained in {seconds:.0f} s on {len(x)} windows; simulated people, "
        f"those of the test part not met in training: accuracy {right.mean():.4f} on {len(x_test)} windows"
    )


if __name__ == "__main__":
    main()
