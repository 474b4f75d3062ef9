"""Train `vibration`: a dense autoencoder that has only met healthy machines, and so cannot copy a fault.

Run it as ``python models/vibration/train.py``; it writes data.npz and model.keras beside itself. All signals are
simulated (machine.py).
"""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import Any

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import keras
import machine
import numpy as np
from numpy.typing import NDArray

FOLDER = Path(__file__).resolve().parent
SEED = 3
EPOCHS, BATCH = 60, 64
# A deviation is 32 steps: 4 deviations fit into int8.
SCALE = 1 / 32
TRAIN, TEST_HEALTHY, TEST_A_FAULT = 2000, 300, 100


def make_part(seed: int, faults: list[str | None]) -> NDArray[np.int8]:
    """Simulate one signal for each entry of `faults`.

    Returns:
        int8, (len(faults), 320), real = SCALE * q.
    """
    rng = np.random.default_rng(seed)
    x = np.stack([machine.features(machine.vibration(rng, fault)) for fault in faults])
    return np.clip(np.round(x / SCALE), -128, 127).astype(np.int8)


def make_data() -> dict[str, NDArray[Any]]:
    """Simulate training and test part.

    Returns:
        x_train: healthy machines only; x_test: healthy and faulty ones; y_test: uint8, 1 where faulty.
    """
    faults: list[str | None] = [None] * TEST_HEALTHY
    faults += [fault for fault in machine.FAULTS for _ in range(TEST_A_FAULT)]
    # Mixed, so that a few samples from the front hold both kinds.
    order = np.random.default_rng(SEED).permutation(len(faults))
    return {
        "x_train": make_part(SEED + 1, [None] * TRAIN),
        "x_test": make_part(SEED + 2, [faults[i] for i in order]),
        "y_test": np.array([faults[i] is not None for i in order], np.uint8),
        "x_scale": np.float32(SCALE),
        "x_zero_point": np.int32(0),
    }


def make_model() -> keras.Model:
    """320-64-64-8-64-64-320, dense: 50,760 parameters, ReLU within."""
    layers = keras.layers
    stack: list[Any] = [layers.Input((machine.INPUTS,))]
    for number, units in enumerate((64, 64, 8, 64, 64), 1):
        stack.append(layers.Dense(units, activation="relu", name=f"dense_{number}"))
    stack.append(layers.Dense(machine.INPUTS, name="copy"))
    return keras.Sequential(stack, name="vibration")


def auc(scores: NDArray[np.float32], faulty: NDArray[np.uint8]) -> float:
    """Area under the ROC curve: how often a faulty machine scores above a healthy one, ties counted half."""
    sick, healthy = scores[faulty == 1][:, None], scores[faulty == 0][None]
    return float(np.mean((sick > healthy) + 0.5 * (sick == healthy)))


def main() -> None:
    """Make the data, train, write both, print the AUC."""
    keras.utils.set_random_seed(SEED)
    data = make_data()
    x_train, x_test = (data[name] * np.float32(SCALE) for name in ("x_train", "x_test"))
    model = make_model()
    steps = EPOCHS * int(np.ceil(len(x_train) / BATCH))
    rate = keras.optimizers.schedules.CosineDecay(2e-3, steps)
    model.compile(keras.optimizers.Adam(rate), "mse", jit_compile=False)
    start = time.monotonic()
    model.fit(x_train, x_train, batch_size=BATCH, epochs=EPOCHS, verbose=2)
    seconds = time.monotonic() - start
    scores = np.mean((model.predict(x_test, verbose=0) - x_test) ** 2, axis=1)
    area = auc(scores, data["y_test"])
    np.savez_compressed(FOLDER / "data.npz", **data)
    # Only the weights matter from here on; the optimizer's would treble the file.
    plain = keras.Sequential.from_config(model.get_config())
    plain.set_weights(model.get_weights())
    plain.save(FOLDER / "model.keras")
    print(
        f"vibration: {model.count_params()} parameters, trained in {seconds:.0f} s; simulated data: AUC {area:.4f} "
        f"on {len(x_test)} signals"
    )


if __name__ == "__main__":
    main()
