"""Low rank: a 1000x1000 layer at rank 100, alone and in a trained network."""

from __future__ import annotations

import sys

# First, because it sets the number of threads, which TensorFlow reads when it loads.
from _row import REPOSITORY, Figure, Row, at_least, at_most, main

# isort: split
import keras
import numpy as np

from edgekit.compress import Cost, Recipe, compress
from edgekit.compress.low_rank import LowRank
from edgekit.data import Data

sys.path.insert(0, str(REPOSITORY / "models" / "motion"))
import person
import train as motion

SEED, EPOCHS, RANK = 11, 10, 100
TEST_PEOPLE, TEST_WINDOWS = 200, 9


def layer_alone() -> tuple[Cost, Cost]:
    """Return the cost of one 1000x1000 layer before and after."""
    model = keras.Sequential([keras.Input((1000,)), keras.layers.Dense(1000, use_bias=False, name="wide")])
    return costs(model, Data(np.random.default_rng(SEED).standard_normal((32, 1000)).astype(np.float32)), epochs=0)


def trained_network() -> tuple[keras.Model, Data]:
    """Train the convolutions of `motion` with two layers of a thousand units behind them."""
    keras.utils.set_random_seed(SEED)
    scale = np.float32(motion.SCALE)
    x, y = motion.make_part(SEED + 1, motion.TRAIN_PEOPLE, motion.TRAIN_WINDOWS)
    x_test, y_test = motion.make_part(SEED + 2, TEST_PEOPLE, TEST_WINDOWS)
    data = Data(x * scale, y, x_test * scale, y_test)
    stack = [layer for layer in motion.make_model().layers if layer.name not in ("mean", "activities")]
    wide = [keras.layers.Dense(1000, activation="relu", name=name) for name in ("before", "wide")]
    ends = [keras.layers.Dense(len(person.ACTIVITIES), activation="softmax", name="activities")]
    model = keras.Sequential([keras.Input(x.shape[1:]), *stack, keras.layers.Flatten(), *wide, *ends])
    rate = keras.optimizers.schedules.CosineDecay(1e-3, EPOCHS * -(-len(x) // 64))
    model.compile(keras.optimizers.Adam(rate), "sparse_categorical_crossentropy")
    model.fit(data.x_train, y, batch_size=64, epochs=EPOCHS, verbose=0)
    return model, data


def costs(model: keras.Model, data: Data, *, epochs: int) -> tuple[Cost, Cost]:
    """Return the cost before and after the layer `wide` is brought to rank 100."""
    others = tuple(layer.name for layer in model.layers if layer.name != "wide")
    technique = LowRank(rank=RANK, epochs=epochs, learning_rate=3e-4, batch_size=64, leave_out=others)
    (step,) = compress(
        model, Recipe("low_rank", (technique,)), data, metric="accuracy" if data.y_test is not None else None
    ).steps
    assert step.before is not None and step.after is not None
    return step.before, step.after


def run() -> Row:
    """Factorize."""
    before, after = layer_alone()
    saved = 100 * (1 - (after.int8_bytes or 0) / (before.int8_bytes or 1))
    model, data = trained_network()
    _, raw = costs(model, data, epochs=0)
    trained, tuned = costs(model, data, epochs=3)
    assert trained.metric is not None and raw.metric is not None and tuned.metric is not None
    exact = (before.parameters, after.parameters) == (1_000_000, 200_000)
    samples = f"{len(data.x_test)} test windows"
    return Row(
        claim="1000x1000 at rank 100: 1,000,000 -> 200,000",
        figures=(
            Figure("weights of the layer", f"{before.parameters:,} -> {after.parameters:,}", "exactly", exact),
            Figure("its int8 file, bytes", f"{before.int8_bytes:,} -> {after.int8_bytes:,}"),
            at_least("its int8 file is smaller by, %", round(saved, 2), 78),
            Figure("weights of a trained network with that layer", f"{trained.parameters:,} -> {tuned.parameters:,}"),
            Figure("its accuracy", f"{trained.metric:.4f} -> {tuned.metric:.4f}", spread=samples),
            Figure("the same without fine-tuning", f"{trained.metric:.4f} -> {raw.metric:.4f}", spread=samples),
            at_most("points lost after fine-tuning", round(100 * (trained.metric - tuned.metric), 2), 0.5, samples),
        ),
        note="The network has the convolutions of `motion` and two layers of 1000 units, the second at rank 100, with "
        "three epochs of fine-tuning. People are simulated, those of the test part not met in training.",
    )


if __name__ == "__main__":
    main(run)
