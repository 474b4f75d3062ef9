"""Train `keyword`: a depthwise-separable CNN that tells ten spoken words, silence and unknown apart.

Run it as ``python models/keyword/train.py``; it writes data.npz and model.keras beside itself. The words are spoken
by espeak-ng (sudo apt-get install espeak-ng), the noise is computed: all data is simulated. The features of all
clips are kept in the ignored folder .cache, so that only the first run speaks.
"""

from __future__ import annotations

import os
import random
import time
from pathlib import Path
from typing import Any

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import keras
import numpy as np
import speech
from mfcc import features
from numpy.typing import NDArray

FOLDER = Path(__file__).resolve().parent
SEED = 7
EPOCHS, BATCH = 7, 100
# A deviation is 32 steps: 4 deviations fit into int8.
SCALE = 1 / 32
LABELS = (*speech.WORDS, "silence", "unknown")
# Clips a class; a training clip is heard twice, each time in another disguise and noise.
TRAIN_CLIPS, HEARD, TEST_CLIPS = 1300, 2, 100
# What the repository keeps of the training part, for calibration and fine-tuning.
KEPT_A_CLASS = 200

Features = tuple[NDArray[np.int8], NDArray[np.uint8]]


def make_part(part: str) -> Features:
    """Speak and mix one part, or read it from the cache.

    Args:
        part: "train" or "test"; the two share no voice.

    Returns:
        x: int8, (n, 49, 10, 1), real = SCALE * q; y: uint8, (n,), the index in LABELS. In random order.
    """
    cache = FOLDER / ".cache" / f"{part}.npz"
    if not cache.exists():
        cache.parent.mkdir(exist_ok=True)
        np.savez(cache, **dict(zip("xy", _speak_part(part), strict=True)))
    with np.load(cache) as arrays:
        return arrays["x"], arrays["y"]


def _speak_part(part: str) -> Features:
    """Make the samples of one part, class by class."""
    speech.require_espeak()
    is_train = part == "train"
    voices = speech.variants()[0 if is_train else 1]
    # Text and number seeds of their own for each part: the parts share no draw.
    rng, noise_rng = random.Random(f"{SEED} {part}"), np.random.default_rng([SEED, is_train])
    clips = TRAIN_CLIPS if is_train else TEST_CLIPS
    x, y = [], []
    for label, name in enumerate(LABELS):
        words = speech.UNKNOWN_WORDS if name == "unknown" else (name,)
        # The many words of `unknown` need more clips than one word does.
        count = 3 * clips // 2 if is_train and name == "unknown" else clips
        spoken: list[NDArray[np.int16] | None] = [None] * count
        if name != "silence":
            spoken = list(speech.speak(speech.utterances(words, count, voices, rng)))
        for word in spoken * (HEARD if is_train else 1):
            if is_train and word is not None:
                word = speech.disguise(word, noise_rng)
            x.append(np.clip(np.round(features(speech.mix(word, noise_rng)) / SCALE), -128, 127).astype(np.int8))
            y.append(label)
        print(f"{part}: {name}: {len(spoken)} clips, {len(voices)} families of voices")
    order = noise_rng.permutation(len(x))
    return np.stack(x)[order], np.array(y, np.uint8)[order]


def keep(x: NDArray[np.int8], y: NDArray[np.uint8]) -> Features:
    """Return the first KEPT_A_CLASS samples of each class, in their order."""
    chosen = np.sort(np.concatenate([np.flatnonzero(y == label)[:KEPT_A_CLASS] for label in range(len(LABELS))]))
    return x[chosen], y[chosen]


def make_model() -> keras.Model:
    """The DS-CNN of MLPerf Tiny's keyword benchmark: 24,332 parameters, 64 filters."""
    layers = keras.layers
    stack: list[Any] = [layers.Input((49, 10, 1))]
    stack.append(layers.Conv2D(64, (10, 4), strides=2, padding="same", use_bias=False, name="conv"))
    stack += _norm("conv")
    stack.append(layers.Dropout(0.05, seed=SEED, name="dropout_conv"))
    for block in range(1, 5):
        stack.append(layers.DepthwiseConv2D(3, padding="same", use_bias=False, name=f"depthwise_{block}"))
        stack += _norm(f"depthwise_{block}")
        stack.append(layers.Conv2D(64, 1, use_bias=False, name=f"pointwise_{block}"))
        stack += _norm(f"pointwise_{block}")
    stack.append(layers.GlobalAveragePooling2D(name="mean"))
    stack.append(layers.Dropout(0.1, seed=SEED, name="dropout"))
    stack.append(layers.Dense(len(LABELS), activation="softmax", name="classes"))
    return keras.Sequential(stack, name="keyword")


def _norm(name: str) -> list[Any]:
    """Batch normalization and ReLU; momentum 0.9, because the training is short."""
    layers = keras.layers
    return [layers.BatchNormalization(momentum=0.9, name=f"{name}_norm"), layers.ReLU(name=f"{name}_relu")]


class Augmented(keras.utils.PyDataset):
    """Batches that differ every epoch: shifted in time, a few frames silenced, a little noise."""

    def __init__(self, x: NDArray[np.float32], y: NDArray[np.uint8]) -> None:
        super().__init__()
        self._x, self._y = x, y
        self._rng = np.random.default_rng(SEED)
        self._order = self._rng.permutation(len(x))

    def __len__(self) -> int:
        return len(self._x) // BATCH

    def on_epoch_end(self) -> None:
        """Draw the next order."""
        self._order = self._rng.permutation(len(self._x))

    def __getitem__(self, index: int) -> tuple[NDArray[np.float32], NDArray[np.uint8]]:
        chosen = self._order[index * BATCH : (index + 1) * BATCH]
        batch = self._x[chosen].copy()
        for sample, shift in zip(batch, self._rng.integers(-3, 4, len(batch)), strict=True):
            sample[:] = np.roll(sample, shift, axis=0)
            first, frames = self._rng.integers(0, 44), self._rng.integers(0, 5)
            sample[first : first + frames] = 0
        batch += self._rng.normal(0, 0.08, batch.shape).astype(np.float32)
        return batch, self._y[chosen]


def train(model: keras.Model, x: NDArray[np.float32], y: NDArray[np.uint8]) -> None:
    """Train with AdamW, the learning rate falling along a cosine."""
    batches = Augmented(x, y)
    steps = EPOCHS * len(batches)
    rate = keras.optimizers.schedules.CosineDecay(1e-4, steps, warmup_target=4e-3, warmup_steps=steps // 10)
    loss = "sparse_categorical_crossentropy"
    optimizer = keras.optimizers.AdamW(rate, weight_decay=1e-3)
    model.compile(optimizer, loss, metrics=["accuracy"], jit_compile=False)
    model.fit(batches, epochs=EPOCHS, verbose=2)


def main() -> None:
    """Make the data, train, write both, print the accuracy."""
    keras.utils.set_random_seed(SEED)
    x_train, y_train = make_part("train")
    x_test, y_test = make_part("test")
    model = make_model()
    start = time.monotonic()
    train(model, x_train * np.float32(SCALE), y_train)
    seconds = time.monotonic() - start
    _, accuracy = model.evaluate(x_test * np.float32(SCALE), y_test, verbose=0)
    kept_x, kept_y = keep(x_train, y_train)
    arrays = {"x_train": kept_x, "y_train": kept_y, "x_test": x_test, "y_test": y_test}
    quant = {"x_scale": np.float32(SCALE), "x_zero_point": np.int32(0)}
    np.savez_compressed(FOLDER / "data.npz", **arrays, **quant)
    # Only the weights matter from here on; the optimizer's would treble the file.
    plain = keras.Sequential.from_config(model.get_config())
    plain.set_weights(model.get_weights())
    plain.save(FOLDER / "model.keras")
    print(
        f"keyword: {model.count_params()} parameters, trained in {seconds:.0f} s; simulated data: accuracy "
        f"{accuracy:.4f} on {len(x_test)} words in unseen voices at an SNR of 0 to 30 dB (optimistic: the settings of "
        "this training were chosen on the same words)"
    )


if __name__ == "__main__":
    main()
