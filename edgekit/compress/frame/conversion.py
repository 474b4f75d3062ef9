"""Converting while compressing: for the bytes, the RAM and the errors that a model would have."""

from __future__ import annotations

import os
import tempfile
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from edgekit.progress import Progress
from edgekit.tflite.convert_trace import Floats, trace_keras
from edgekit.tflite.keras_file import keras_bytes, plan_of
from edgekit.tflite.quantization_plan import QuantizationPlan
from edgekit.tflite.rewrite import rewrite
from edgekit.tflite.to_int8 import to_int8 as convert
from edgekit.worker import Worker, WorkerCrashError

if TYPE_CHECKING:
    import keras

    from edgekit.data import Data

# Sizes do not depend on the ranges, so few samples will do.
_CALIBRATION_SAMPLES = 16


def to_int8(model: keras.Model, data: Data, plan: QuantizationPlan = QuantizationPlan()) -> bytes:
    """Convert a model as `edgekit convert` would, few samples apart.

    The converter may end its whole process. Called from a program of the user's, this runs in a child that waits for
    the next model; within `edgekit compress`, which is such a child, and for layers that only this process knows, here.

    Args:
        model: a built model with one input.
        data: its x_train calibrates.
        plan: what was decided on quantization.

    Returns:
        The full-integer .tflite.

    Raises:
        ModelError: the converter refused, or crashed.
    """
    samples = data.x_train[:_CALIBRATION_SAMPLES]
    if "EDGEKIT_WORKER_FD" in os.environ or _has_own_layers(model):
        return _here(model, samples, plan)
    with tempfile.TemporaryDirectory(prefix="edgekit-") as name:
        folder = Path(name)
        (folder / "model.keras").write_bytes(keras_bytes(model, plan))
        np.save(folder / "samples.npy", samples)
        try:
            _worker().call("edgekit.compress.frame.conversion:in_child", {"folder": name})
        except WorkerCrashError:
            _worker.cache_clear()
            raise
        return (folder / "model.tflite").read_bytes()


def in_child(request: dict[str, Any], progress: Progress) -> dict[str, Any]:
    """Convert model.keras with samples.npy of the folder "folder" to model.tflite there."""
    import keras

    folder = Path(request["folder"])
    progress("converting")
    path = folder / "model.keras"
    model = keras.models.load_model(path, compile=False)
    (folder / "model.tflite").write_bytes(_here(model, np.load(folder / "samples.npy"), plan_of(path)))
    return {}


def _here(model: keras.Model, samples: Floats, plan: QuantizationPlan) -> bytes:
    return rewrite(convert(trace_keras(model, samples, plan), samples)).flatbuffer


@lru_cache(maxsize=1)
def _worker() -> Worker:
    """A child that lives as long as this process: it ends when it sees the closed pipe."""
    return Worker().__enter__()


def _has_own_layers(model: keras.Model) -> bool:
    return any(not type(layer).__module__.startswith("keras.") for layer in model._flatten_layers())
