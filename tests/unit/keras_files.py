"""Writes the model files that the conversion tests need; runs in a worker, so that pytest never imports TensorFlow."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from edgekit.progress import Progress

SHAPE = (8, 8, 2)


def write(request: dict[str, Any], progress: Progress) -> dict[str, Any]:
    """Write every model into the folder of the request."""
    import keras

    keras.utils.set_random_seed(1)
    folder = Path(request["folder"])
    classifier = _classifier(keras)
    classifier.save(folder / "classifier.keras")
    classifier.save(folder / "classifier.h5")
    classifier.export(folder / "saved", verbose=False)
    (folder / "plain.json").write_text(json.dumps(classifier(_ramp()).numpy().tolist()))
    _as_keras2(folder / "classifier.h5", folder / "keras2.h5")
    for name, layers in _others(keras).items():
        keras.Sequential(layers).save(folder / f"{name}.keras")
    _two_inputs(keras).save(folder / "two_inputs.keras")
    return {}


def _ramp() -> Any:
    import numpy as np

    return np.linspace(-1, 1, 128, dtype=np.float32).reshape(1, *SHAPE)


def _classifier(keras: Any) -> Any:
    layers = keras.layers
    return keras.Sequential(
        [
            layers.Input(SHAPE),
            layers.Conv2D(4, 3, padding="same"),
            layers.BatchNormalization(),
            layers.ReLU(),
            layers.DepthwiseConv2D(3, strides=2, padding="same"),
            layers.Flatten(),
            layers.Dense(3, activation="softmax"),
        ]
    )


def _others(keras: Any) -> dict[str, list[Any]]:
    layers = keras.layers
    return {
        "autoencoder": [layers.Input((6,)), layers.Dense(3, activation="relu"), layers.Dense(6)],
        "conv3d": [layers.Input((4, 4, 4, 2)), layers.Conv3D(2, 2), layers.Flatten(), layers.Dense(3)],
        "lambda": [layers.Input((6,)), layers.Lambda(lambda x: x * 2), layers.Dense(2)],
    }


def _two_inputs(keras: Any) -> Any:
    first, second = keras.Input((3,)), keras.Input((3,))
    return keras.Model([first, second], keras.layers.Dense(2)(keras.layers.Add()([first, second])))


def _as_keras2(path: Path, out: Path) -> None:
    """Rewrite the config as Keras 2 wrote it: `groups` in the depthwise layer, a list as the axis."""
    import h5py

    out.write_bytes(path.read_bytes())
    with h5py.File(out, "r+") as file:
        config = json.loads(file.attrs["model_config"])
        for layer in config["config"]["layers"]:
            if layer["class_name"] == "DepthwiseConv2D":
                layer["config"]["groups"] = 1
            if layer["class_name"] == "BatchNormalization":
                layer["config"]["axis"] = [3]
        file.attrs["model_config"] = json.dumps(config)
        file.attrs["keras_version"] = "2.4.0"
