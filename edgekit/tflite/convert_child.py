"""The part of a conversion that needs TensorFlow; runs in the child of `edgekit.worker.Worker`.

Three things decide whether the result is right: the function goes to the converter without the Keras model (with it
the weights are lost, silently), the batch is 1 in the signature, and int8 is asked for at both ends.
"""

from __future__ import annotations

import dataclasses
import io
import json
import tempfile
import tomllib
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from edgekit.data import Data
from edgekit.errors import EdgeKitError, ModelError
from edgekit.progress import Progress
from edgekit.tflite import keras_models
from edgekit.tflite.conversion_checks import named_layer
from edgekit.tflite.convert_trace import (
    Floats,
    Traced,
    check_input,
    predict,
    require_ids,
    trace_keras,
    trace_saved_model,
)
from edgekit.tflite.model_files import ModelKind, examine

if TYPE_CHECKING:
    import keras


def convert(request: dict[str, Any], progress: Progress) -> dict[str, Any]:
    """Load, compress, convert.

    Args:
        request: "model": path; "folder": with data.npz, takes the results; "recipe": TOML text or None; "objects":
            module that registers custom layers, or None.
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
        model = keras_models.load(path)
        check_input(model, arrays["compare"])
        np.save(folder / "before.npy", predict(model, arrays["compare"]))
        if request["recipe"] is not None:
            model, steps = _compress(model, request["recipe"], arrays, progress)
            (folder / "compressed.keras").write_bytes(keras_bytes(model))
            np.save(folder / "after.npy", predict(model, arrays["compare"]))
        progress(f"tracing {path.name}")
        traced = trace_keras(model, arrays["calibration"])
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


def to_int8(traced: Traced, calibration: Floats) -> bytes:
    """Convert to int8 at both ends.

    Args:
        traced: the model.
        calibration: samples whose ranges become scales, shape (n, *input).

    Returns:
        The flatbuffer as TensorFlow Lite's converter makes it.

    Raises:
        ModelError: the converter refused; the message is its line that names the operator.
        MemoryError: of the process's limit.
    """
    import tensorflow as tf

    def representative() -> Iterator[list[NDArray[Any]]]:
        for sample in calibration:
            yield [sample[np.newaxis].astype(np.int32 if traced.takes_ids else np.float32)]

    try:
        with traced.converter() as converter:
            converter.optimizations = [tf.lite.Optimize.DEFAULT]
            converter.representative_dataset = representative
            converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS_INT8]
            # An input of ids stays int32.
            converter.inference_input_type = converter.inference_output_type = tf.int8
            return bytes(converter.convert())
    except EdgeKitError:
        raise
    # The converter raises many kinds; the line that names the operator is what helps.
    except Exception as error:
        if _is_out_of_memory(error):
            raise MemoryError(str(error)) from error
        lines = [line.strip() for line in str(error).splitlines() if line.strip()]
        named = [line for line in lines if "error:" in line or "not supported" in line]
        reason = (named or lines or [type(error).__name__])[0][:400]
        layer = named_layer(str(error), traced.layers)
        raise ModelError(
            f"{layer or 'the model'} cannot be converted to int8: {reason}",
            hint="replace the layer that the message names by one with an int8 form",
        ) from error


def _is_out_of_memory(error: Exception) -> bool:
    """TensorFlow, its converter and NumPy each say it in a way of their own."""
    text = f"{type(error).__name__}: {error}".lower()
    return any(sign in text for sign in ("memoryerror", "could not allocate", "bad_alloc", "resourceexhausted"))


def keras_bytes(model: keras.Model) -> bytes:
    """Return the .keras file of a model; the same model gives the same bytes (Keras stores the time of day)."""
    with tempfile.TemporaryDirectory(prefix="edgekit-") as folder:
        path = Path(folder) / "model.keras"
        model.save(path)
        with zipfile.ZipFile(path) as archive:
            members = {name: archive.read(name) for name in sorted(archive.namelist())}
    metadata = json.loads(members["metadata.json"]) | {"date_saved": "1980-01-01@00:00:00"}
    members["metadata.json"] = json.dumps(metadata).encode()
    saved = io.BytesIO()
    with zipfile.ZipFile(saved, "w") as archive:
        for name, member in members.items():
            archive.writestr(zipfile.ZipInfo(name, (1980, 1, 1, 0, 0, 0)), member)
    return saved.getvalue()


def _compress(
    model: keras.Model, recipe: str, arrays: dict[str, Any], progress: Progress
) -> tuple[keras.Model, tuple[Any, ...]]:
    from edgekit.compress import compress, recipe_from_tables

    data = Data(arrays["x_train"], arrays.get("y_train"), arrays.get("x_test"), arrays.get("y_test"))
    tables = tomllib.loads(recipe)["step"]
    result = compress(model, recipe_from_tables("recipe", tables), data, progress=progress)
    return result.model, result.steps
