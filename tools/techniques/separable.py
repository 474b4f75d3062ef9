"""Depthwise-separable convolutions: what they save, counted, and what a converted network loses, measured."""

from __future__ import annotations

import sys

# First, because it sets the number of threads, which TensorFlow reads when it loads.
from _row import REPOSITORY, Figure, Row, at_most, main

# isort: split
import keras
import numpy as np

from edgekit.compress import Cost, Recipe, compress
from edgekit.compress.separable import Separable
from edgekit.data import Data

sys.path.insert(0, str(REPOSITORY / "models" / "motion"))
import person
import train as motion

SEED, EPOCHS, RATE = 17, 12, 2e-3
TEST_PEOPLE, TEST_WINDOWS = 200, 9
LEAST, MOST = 8.0, 9.0


def layer_alone(channels: int) -> tuple[Cost, Cost]:
    """Return the cost of one 3x3 convolution on 14x14 places before and after."""
    convolution = keras.layers.Conv2D(channels, 3, padding="same", use_bias=False, name="conv")
    model = keras.Sequential([keras.Input((14, 14, channels)), convolution])
    data = Data(np.random.default_rng(SEED).standard_normal((4, 14, 14, channels)).astype(np.float32))
    return costs(model, data, Separable(epochs=0, first=True))


def trained_network() -> tuple[keras.Model, Data]:
    """Train four standard convolutions of nine places each on the data of `motion`."""
    keras.utils.set_random_seed(SEED)
    scale = np.float32(motion.SCALE)
    x, y = motion.make_part(SEED + 1, motion.TRAIN_PEOPLE, motion.TRAIN_WINDOWS)
    x_test, y_test = motion.make_part(SEED + 2, TEST_PEOPLE, TEST_WINDOWS)
    layers = keras.layers
    stack = [keras.Input(x.shape[1:])]
    for number, (filters, strides) in enumerate(((32, 2), (64, 2), (64, 2), (64, 1)), 1):
        stack.append(layers.Conv1D(filters, 9, strides=strides, padding="same", use_bias=False, name=f"conv_{number}"))
        stack += [layers.BatchNormalization(momentum=0.9), layers.ReLU()]
    stack += [layers.GlobalAveragePooling1D(), layers.Dense(len(person.ACTIVITIES), activation="softmax")]
    model = keras.Sequential(stack)
    rate = keras.optimizers.schedules.CosineDecay(3e-3, EPOCHS * -(-len(x) // 64))
    model.compile(keras.optimizers.Adam(rate), "sparse_categorical_crossentropy")
    model.fit(x * scale, y, batch_size=64, epochs=EPOCHS, verbose=0)
    return model, Data(x * scale, y, x_test * scale, y_test)


def accuracy_after_more(model: keras.Model, data: Data) -> float:
    """Train the original as much more as the converted network was trained, in place, and test it."""
    rate = keras.optimizers.schedules.CosineDecay(RATE, EPOCHS * -(-len(data.x_train) // 64))
    model.compile(keras.optimizers.Adam(rate), "sparse_categorical_crossentropy", metrics=["accuracy"])
    model.fit(data.x_train, data.y_train, batch_size=64, epochs=EPOCHS, verbose=0)
    return float(model.evaluate(data.x_test, data.y_test, batch_size=256, verbose=0)[1])


def costs(model: keras.Model, data: Data, technique: Separable) -> tuple[Cost, Cost]:
    """Return the cost before and after a technique."""
    (step,) = compress(
        model, Recipe("separable", (technique,)), data, metric="accuracy" if technique.epochs else None
    ).steps
    assert step.before is not None and step.after is not None
    return step.before, step.after


def run() -> Row:
    """Count, convert, measure."""
    figures = []
    for channels in (128, 512):
        before, after = layer_alone(channels)
        for what in ("parameters", "macs"):
            times = getattr(before, what) / getattr(after, what)
            told = f"{what} of a 3x3 convolution, {channels} channels: times fewer"
            figures.append(Figure(told, round(times, 2), f"{LEAST:g} to {MOST:g}", LEAST <= times <= MOST))
    model, data = trained_network()
    before, after = costs(model, data, Separable(epochs=EPOCHS, learning_rate=RATE, batch_size=64))
    assert before.metric is not None and after.metric is not None
    longer = accuracy_after_more(model, data)
    lost = 100 * (max(before.metric, longer) - after.metric)
    samples = f"{len(data.x_test)} test windows"
    figures += [
        Figure("parameters of the converted network", f"{before.parameters:,} -> {after.parameters:,}"),
        Figure("its MACs", f"{before.macs:,} -> {after.macs:,}"),
        Figure("its accuracy", f"{before.metric:.4f} -> {after.metric:.4f}", spread=samples),
        Figure("accuracy of the original after as many epochs more", round(longer, 4), spread=samples),
        at_most("points lost against the better original", round(lost, 2), 1.0, samples),
    ]
    return Row(
        claim="depthwise-separable ~8-9x fewer parameters and MACs",
        figures=tuple(figures),
        note="The converted network has four convolutions over time, of nine places as 3x3 has; the first one, "
        "which sees six channels, stays. Trained on simulated motion, tested on people not met in training; the "
        "outputs of the original are half of the loss.",
    )


if __name__ == "__main__":
    main(run)
