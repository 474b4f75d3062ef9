"""The part of a conversion that needs TensorFlow; runs in the child of `edgekit.worker.Worker`.

Three things decide whether the result is right: the concrete function goes to the converter without its trackable
(with it the weights are lost, silently), the batch is 1 in the signature, and int8 is asked for at both ends.
"""

from __future__ import annotations

import dataclasses
import io
import json
import tempfile
import tomllib
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from edgekit.data import Data
from edgekit.errors import DataError, EdgeKitError, ModelError
from edgekit.progress import Progress
from edgekit.tflite import keras_models
from edgekit.tflite.model_files import ModelKind, examine

if TYPE_CHECKING:
    import keras

Floats = NDArray[np.float32]
_BATCH = 64


@dataclass(frozen=True, slots=True, eq=False)
class _Traced:
    """A model ready for the converter.

    Attributes:
        concrete: the concrete function with batch 1; it is handed over alone.
        run: float outputs for samples of shape (n, *input).
        weight_elements: number of elements of all variables of rank 2 and more.
        alive: keeps the variables from being freed.
    """

    concrete: Any
    run: Callable[[Floats], Floats]
    weight_elements: int
    alive: Any


def convert(request: dict[str, Any], progress: Progress) -> dict[str, Any]:
    """Load, compress, convert.

    Args:
        request: "model": path; "folder": with data.npz, takes the results; "recipe": TOML text or None.
        progress: told the steps.

    Returns:
        "steps": compression results; "weight_elements". In the folder: model.tflite, before.npy with the float
        outputs of the samples, and where compressed: after.npy and compressed.keras.
    """
    folder, path = Path(request["folder"]), Path(request["model"])
    with np.load(folder / "data.npz", allow_pickle=False) as archive:
        arrays = dict(archive)
    progress(f"loading {path.name}")
    steps: tuple[Any, ...] = ()
    if examine(path) is ModelKind.SAVED_MODEL:
        traced = _trace_saved_model(path, arrays["compare"])
        np.save(folder / "before.npy", traced.run(arrays["compare"]))
    else:
        model = keras_models.load(path)
        check_input(model, arrays["compare"])
        np.save(folder / "before.npy", _predict(model, arrays["compare"]))
        if request["recipe"] is not None:
            model, steps = _compress(model, request["recipe"], arrays, progress)
            (folder / "compressed.keras").write_bytes(keras_bytes(model))
            np.save(folder / "after.npy", _predict(model, arrays["compare"]))
        traced = _trace_keras(model, arrays["compare"])
    layers = "" if path.is_dir() else f" ({len(model.layers)} layers, the last is {model.layers[-1].name!r})"
    progress(f"converting {path.name}{layers}")
    (folder / "model.tflite").write_bytes(_to_int8(traced, arrays["calibration"]))
    return {"steps": [dataclasses.asdict(step) for step in steps], "weight_elements": traced.weight_elements}


def check_input(model: keras.Model, x: Floats) -> None:
    """Refuse data that does not have the model's input shape.

    Args:
        model: a built model.
        x: shape (n, *input).

    Raises:
        DataError: expected and given shape differ.
        ModelError: the model has several inputs.
    """
    if len(model.inputs) != 1:
        raise ModelError(
            f"the model has {len(model.inputs)} inputs, expected 1",
            hint="join the inputs into one array and split it inside the model",
        )
    _require_shape(tuple(model.inputs[0].shape[1:]), x)


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


def _require_shape(expected: tuple[int | None, ...], x: Floats) -> None:
    given = x.shape[1:]
    fits = len(given) == len(expected) and all(
        size is None or size == got for size, got in zip(expected, given, strict=True)
    )
    if not fits:
        shown = ["any" if size is None else size for size in expected]
        raise DataError(
            f"the model's input is {shown}, the data has samples of shape {list(given)}",
            hint="reshape the data: the first axis counts samples, the others are the model's input",
        )


def _predict(model: keras.Model, x: Floats) -> Floats:
    outputs = [model(x[start : start + _BATCH], training=False) for start in range(0, len(x), _BATCH)]
    return np.concatenate([_first(output) for output in outputs])


def _first(output: Any) -> Floats:
    """The first of a model's outputs: metric and agreement look at this one."""
    while not hasattr(output, "shape"):
        output = next(iter(output.values() if hasattr(output, "values") else output))
    return np.asarray(output, np.float32)


def _nested(layer: Any) -> Iterator[Any]:
    """Every layer, those inside of models and wrappers included."""
    inner = getattr(layer, "layers", None) or [
        getattr(layer, name) for name in ("layer", "forward_layer", "backward_layer") if hasattr(layer, name)
    ]
    for child in inner:
        yield child
        yield from _nested(child)


def _trace_keras(model: keras.Model, x: Floats) -> _Traced:
    import keras
    import tensorflow as tf

    for layer in _nested(model):
        if isinstance(layer, keras.layers.RNN) and not layer.unroll:
            raise ModelError(
                f"layer {layer.name!r} ({type(layer).__name__}) is a loop, which has no int8 form",
                hint="build the layer with unroll=True, load the weights, and save the model again",
            )
    function = tf.function(lambda inputs: model(inputs, training=False))
    concrete = function.get_concrete_function(tf.TensorSpec((1, *x.shape[1:]), tf.float32, name="input"))
    elements = sum(int(np.prod(v.shape)) for v in model.variables if len(v.shape) >= 2)
    return _Traced(concrete, lambda samples: _predict(model, samples), elements, model)


def _trace_saved_model(path: Path, x: Floats) -> _Traced:
    import tensorflow as tf

    loaded, serving = keras_models.load_saved_model(path)
    (name, spec), *_ = serving.structured_input_signature[1].items()
    if spec.dtype != tf.float32:
        raise ModelError(f"input {name!r} is {spec.dtype.name}, expected float32", hint="export a float32 model")
    shape = tuple(spec.shape)
    if shape[0] not in (None, 1):
        raise ModelError(f"the SavedModel has batch {shape[0]}, expected 1 or any", hint="export it with batch None")
    _require_shape(shape[1:], x)
    function = tf.function(lambda inputs: list(serving(**{name: inputs}).values()))
    concrete = function.get_concrete_function(tf.TensorSpec((1, *x.shape[1:]), tf.float32, name="input"))

    def run(samples: Floats) -> Floats:
        return np.concatenate([_first(concrete(tf.constant(sample[np.newaxis]))) for sample in samples])

    elements = sum(int(np.prod(v.shape)) for v in serving.variables if len(v.shape) >= 2)
    return _Traced(concrete, run, elements, loaded)


def _to_int8(traced: _Traced, calibration: Floats) -> bytes:
    import tensorflow as tf

    def representative() -> Iterator[list[Floats]]:
        for sample in calibration:
            yield [sample[np.newaxis]]

    # No trackable as second argument: with a Keras 3 model in it, the result holds no weights.
    converter = tf.lite.TFLiteConverter.from_concrete_functions([traced.concrete])
    converter.optimizations = [tf.lite.Optimize.DEFAULT]
    converter.representative_dataset = representative
    converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS_INT8]
    converter.inference_input_type = converter.inference_output_type = tf.int8
    try:
        return bytes(converter.convert())
    except EdgeKitError:
        raise
    # The converter raises many kinds; the line that names the operator is what helps.
    except Exception as error:
        lines = [line.strip() for line in str(error).splitlines() if line.strip()]
        named = [line for line in lines if "error:" in line or "not supported" in line]
        reason = (named or lines or [type(error).__name__])[0][:400]
        raise ModelError(
            f"the model cannot be converted to int8: {reason}",
            hint="replace the layer that the message names by one with an int8 form",
        ) from error
