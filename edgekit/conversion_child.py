"""The part of a conversion that needs TensorFlow; runs in the child of `edgekit.worker.Worker`.

Three things decide whether the result is right: the function goes to the converter without the Keras model (with it
the weights are lost, silently), the batch is 1 in the signature, and int8 is asked for at both ends.
"""

from __future__ import annotations

import dataclasses
import tomllib
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from edgekit.data import Data
from edgekit.metrics import metric_names
from edgekit.progress import Progress
from edgekit.tflite import keras_models
from edgekit.tflite.convert_trace import check_input, predict, require_ids, trace_keras, trace_saved_model
from edgekit.tflite.keras_file import keras_bytes, plan_of
from edgekit.tflite.model_files import ModelKind, examine
from edgekit.tflite.to_int8 import to_int8

if TYPE_CHECKING:
    import keras

    from edgekit.compress import CompressionResult


def convert(request: dict[str, Any], progress: Progress) -> dict[str, Any]:
    """Load, compress, convert.

    Args:
        request: "model": path; "folder": with data.npz, takes the results; "recipe": TOML text or None; "metric":
            its name or None; "resume": folder of unfinished compression or None; "objects": module that registers
            custom layers, or None.
        progress: told the steps.

    Returns:
        "steps": compression results; "weight_elements"; "layers": name and class of each. In the folder:
        model.tflite, before.npy with the float outputs of the samples, and where compressed: after.npy and
        compressed.keras.
    """
    folder, path = Path(request["folder"]), Path(request["model"])
    with np.load(folder / "data.npz", allow_pickle=False) as archive:
        arrays = dict(archive)
    progress(f"loading {path.name}")
    keras_models.register(request["objects"])
    steps: tuple[Any, ...] = ()
    if examine(path) is ModelKind.SAVED_MODEL:
        traced = trace_saved_model(path, arrays["compare"])
        np.save(folder / "before.npy", traced.run(arrays["compare"]))
    else:
        model, plan = keras_models.load(path), plan_of(path)
        check_input(model, arrays["compare"])
        np.save(folder / "before.npy", predict(model, arrays["compare"]))
        if request["recipe"] is not None:
            result = _compress(model, request, arrays, progress)
            model, steps, plan = result.model, result.steps, result.plan
            (folder / "compressed.keras").write_bytes(keras_bytes(model, plan))
            np.save(folder / "after.npy", predict(model, arrays["compare"]))
        progress(f"tracing {path.name}")
        traced = trace_keras(model, arrays["calibration"], plan)
    if traced.takes_ids:
        for name in ("calibration", "compare"):
            require_ids(arrays[name])
    layers = f" ({len(traced.layers)} layers, the last is {traced.layers[-1][0]!r})" if traced.layers else ""
    progress(f"converting {path.name}{layers}")
    (folder / "model.tflite").write_bytes(to_int8(traced, arrays["calibration"]))
    return {
        "steps": [dataclasses.asdict(step) for step in steps],
        "weight_elements": traced.weight_elements,
        "layers": traced.layers,
    }


def _compress(
    model: keras.Model, request: dict[str, Any], arrays: dict[str, Any], progress: Progress
) -> CompressionResult:
    from edgekit.compress import compress, recipe_from_tables

    data = Data(arrays["x_train"], arrays.get("y_train"), arrays.get("x_test"), arrays.get("y_test"))
    return compress(
        model,
        recipe_from_tables("recipe", tomllib.loads(request["recipe"])["step"]),
        data,
        # A metric of the user's is computed where their folder is known, after the conversion.
        metric=request["metric"] if request["metric"] in metric_names() else None,
        plan=plan_of(Path(request["model"])),
        progress=progress,
        resume=Path(request["resume"]) if request["resume"] is not None else None,
    )
