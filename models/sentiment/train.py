"""Train `sentiment`: a small transformer that tells whether a generated review is more positive than negative.

Run it as ``python models/sentiment/train.py``; it writes data.npz and model.keras beside itself. All text is generated
(grammar.py), and its labels are computed. With the word ``validation`` it trains, prints the accuracy on a validation
part, and writes nothing: for changes to the training.
"""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path
from typing import Any

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import keras
import numpy as np
from grammar import TOKENS, WORDS, Reviews
from numpy.typing import NDArray

FOLDER = Path(__file__).resolve().parent
SEED = 11
TRAIN, VALIDATION, TEST = 60_000, 4000, 4000
# What the repository keeps of the training part, for calibration, fine-tuning and students.
KEPT = 6000
BLOCKS, WIDTH, HEADS, HIDDEN, WORD_WIDTH = 4, 48, 4, 96, 16
EPOCHS, BATCH, RATE = 6, 128, 3e-3

Part = tuple[NDArray[np.int8], NDArray[np.uint8]]


def make_model(activation: str | None = None) -> keras.Model:
    """A pre-LN transformer: 4 blocks of width 48 with 4 heads, 79,602 parameters.

    Args:
        activation: of the two outputs; None gives logits: which one is larger is all that a device needs.

    Source:
        Xiong et al. 2020, "On Layer Normalization in the Transformer Architecture", arXiv:2002.04745 (pre-LN); Lan et
        al. 2020, "ALBERT", arXiv:1909.11942, section 3.1 (narrow word vectors, projected to the blocks' width).
    """
    layers = keras.layers
    ids = keras.Input((TOKENS,), name="ids")
    x = layers.Embedding(len(WORDS), WORD_WIDTH, name="words")(ids)
    # Its bias differs from place to place: that is how the model learns where a word stands.
    x = layers.EinsumDense("btc,cd->btd", (TOKENS, WIDTH), bias_axes="td", name="places")(x)
    for block in range(1, BLOCKS + 1):
        normalized = layers.LayerNormalization(name=f"block_{block}_norm_1")(x)
        attended = layers.MultiHeadAttention(HEADS, WIDTH // HEADS, name=f"block_{block}_attention")(
            normalized, normalized
        )
        x = layers.Add(name=f"block_{block}_add_1")([x, attended])
        hidden = layers.LayerNormalization(name=f"block_{block}_norm_2")(x)
        hidden = layers.Dense(HIDDEN, activation="relu", name=f"block_{block}_up")(hidden)
        x = layers.Add(name=f"block_{block}_add_2")([x, layers.Dense(WIDTH, name=f"block_{block}_down")(hidden)])
    x = layers.GlobalAveragePooling1D(name="mean")(layers.LayerNormalization(name="norm")(x))
    return keras.Model(ids, layers.Dense(2, activation=activation, name="classes")(x), name="sentiment")


def train(part: Part) -> keras.Model:
    """Train with Adam, the learning rate rising to RATE and falling along a cosine; return the model for logits."""
    model = make_model("softmax")
    steps = EPOCHS * -(-len(part[0]) // BATCH)
    rate: Any = keras.optimizers.schedules.CosineDecay(
        1e-4, steps - steps // 20, 0.01, warmup_target=RATE, warmup_steps=steps // 20
    )
    model.compile(
        keras.optimizers.Adam(rate), "sparse_categorical_crossentropy", metrics=["accuracy"], jit_compile=False
    )
    model.fit(part[0].astype(np.float32), part[1], batch_size=BATCH, epochs=EPOCHS, verbose=2)
    plain = make_model()
    plain.set_weights(model.get_weights())
    return plain


def accuracy(model: keras.Model, part: Part) -> float:
    """Return the fraction of reviews whose highest output is their label."""
    outputs = model.predict(part[0].astype(np.float32), batch_size=250, verbose=0)
    return float(np.mean(outputs.argmax(axis=1) == part[1]))


def main() -> None:
    """Make the data, train, write both, print the accuracy."""
    only_validation = sys.argv[1:] == ["validation"]
    keras.utils.set_random_seed(SEED)
    heard = Reviews(SEED, unseen=False)(TRAIN)
    start, start_cpu = time.monotonic(), time.process_time()
    model = train(heard)
    seconds, cpu_seconds = time.monotonic() - start, time.process_time() - start_cpu
    validation = Reviews(SEED + 1, unseen=True)(VALIDATION)
    print(
        f"sentiment: {model.count_params()} parameters, trained in {seconds:.0f} s ({cpu_seconds:.0f} s of processor "
        f"time) on {TRAIN} generated reviews: accuracy {accuracy(model, validation):.4f} on {VALIDATION} generated "
        "reviews of the validation part, each with a combination of words that training never had"
    )
    if only_validation:
        return
    test = Reviews(SEED + 2, unseen=True)(TEST)
    arrays = {"x_train": heard[0][:KEPT], "y_train": heard[1][:KEPT], "x_test": test[0], "y_test": test[1]}
    # Ids are stored as they are: a scale of 1.
    np.savez_compressed(FOLDER / "data.npz", **arrays, x_scale=np.float32(1), x_zero_point=np.int32(0))
    model.save(FOLDER / "model.keras")
    print(f"sentiment: accuracy {accuracy(model, test):.4f} on {TEST} generated reviews of the test part, used once")


if __name__ == "__main__":
    main()
