"""Converts a Keras model up to one of its layers; runs in the child, where a crash is the answer."""

from __future__ import annotations

import contextlib
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from edgekit.errors import EdgeKitError
from edgekit.progress import Progress
from edgekit.tflite import keras_models
from edgekit.tflite.convert_trace import trace_keras
from edgekit.tflite.to_int8 import to_int8

if TYPE_CHECKING:
    import keras

_SAMPLES = 4


def layers(request: dict[str, Any], progress: Progress) -> dict[str, Any]:
    """Return "layers": name and class of each layer that `up_to` takes, in order."""
    progress("loading the model")
    return {"layers": [(layer.name, type(layer).__name__) for layer in _layers(_load(request))]}


def up_to(request: dict[str, Any], progress: Progress) -> dict[str, Any]:
    """Convert the part of the model that ends at a layer.

    Args:
        request: as for `conversion_child.convert`, and "position": of the layer.
        progress: told the layer.

    Returns:
        "converted": whether this part can be converted, or fails in an orderly way.
    """
    import keras

    model = _load(request)
    layer = _layers(model)[request["position"]]
    progress(f"converting up to layer {layer.name!r} ({type(layer).__name__})")
    with np.load(Path(request["folder"]) / "data.npz", allow_pickle=False) as archive:
        samples = archive["calibration"][:_SAMPLES]
    # A part may be refused where the whole is not; only a crash is looked for.
    with contextlib.suppress(EdgeKitError):
        to_int8(trace_keras(keras.Model(model.inputs, layer.output), samples), samples)
    return {"converted": True}


def _load(request: dict[str, Any]) -> keras.Model:
    keras_models.register(request["objects"])
    return keras_models.load(Path(request["model"]))


def _layers(model: keras.Model) -> list[Any]:
    """The layers whose output a part of the model can end with."""
    import keras

    return [layer for layer in model.layers if not isinstance(layer, keras.layers.InputLayer) and layer._inbound_nodes]
