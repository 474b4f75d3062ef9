"""Load Keras models in the TensorFlow child: .keras and .h5, those of Keras 2 included, and SavedModels.

What Keras 2 wrote into configs and Keras 3 refuses is rewritten in a temporary copy, so that every layer is an
ordinary Keras 3 layer afterwards. `safe_mode` stays on: no code from a file is ever run.
"""

from __future__ import annotations

import importlib
import importlib.util
import json
import shutil
import sys
import tempfile
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

from edgekit.errors import EdgeKitError, ModelError, UsageError
from edgekit.tflite.keras_archive.floor import require_safe_keras
from edgekit.tflite.model_files import ModelKind, examine

if TYPE_CHECKING:
    import keras

# Keys of Keras 2 that Keras 3 does not know, with the value at which they mean nothing; any other value stays, and
# Keras 3 refuses the layer by name.
_ONE_GROUP = {"groups": 1}
_SEPARABLE = {**_ONE_GROUP, "kernel_initializer": ..., "kernel_regularizer": None, "kernel_constraint": None}
_RECURRENT = {"time_major": False}
_DROPPED: dict[str, dict[str, Any]] = {
    "Conv1DTranspose": _ONE_GROUP,
    "Conv2DTranspose": _ONE_GROUP,
    "DepthwiseConv1D": _ONE_GROUP,
    "DepthwiseConv2D": _ONE_GROUP,
    "SeparableConv1D": _SEPARABLE,
    "SeparableConv2D": _SEPARABLE,
    "LSTM": _RECURRENT,
    "GRU": _RECURRENT,
    "SimpleRNN": _RECURRENT,
    "RNN": _RECURRENT,
    "BatchNormalization": {"fused": None, "virtual_batch_size": None, "adjustment": None},
}
# Operations that touch files or run Python; a model that only computes has none.
_FORBIDDEN_OPS = {"ReadFile", "WriteFile", "PyFunc", "PyFuncStateless", "EagerPyFunc", "MatchingFiles"}


def register(objects: str | None) -> None:
    """Import the module that registers a model's custom layers; it is the user's code, and runs because they said so.

    Args:
        objects: a Python file, or the name of a module; None for no custom layers.

    Raises:
        UsageError: there is none, or importing it failed.
    """
    if objects is None:
        return
    path = Path(objects)
    try:
        if path.suffix == ".py":
            spec = importlib.util.spec_from_file_location(path.stem, path)
            assert spec is not None and spec.loader is not None
            module = importlib.util.module_from_spec(spec)
            # Registered classes name their module, so it must be found.
            sys.modules[path.stem] = module
            spec.loader.exec_module(module)
        else:
            # At the end of the path: a numpy.py of the user's folder must not be taken for the library.
            sys.path.append(str(Path.cwd()))
            importlib.import_module(objects)
    # The module is the user's: whatever it raises is told, not thrown.
    except Exception as error:
        raise UsageError(
            f"objects {objects!r}: importing it failed: {type(error).__name__}: {error}",
            hint="give a Python file or module whose layers carry @keras.saving.register_keras_serializable()",
        ) from error


def load(path: Path) -> keras.Model:
    """Load a Keras model.

    Args:
        path: .keras or .h5 file, written by Keras 3 or 2.

    Returns:
        The model, not compiled.

    Raises:
        ModelError: damaged, of another kind, or with layers that Keras 3 does not know or that would run code.
    """
    import keras

    require_safe_keras()
    kind = examine(path)
    if kind not in (ModelKind.KERAS, ModelKind.H5):
        raise ModelError(
            f"{path.name} is a {kind}, which has no Keras layers any more", hint="give the .keras or .h5 model"
        )
    with tempfile.TemporaryDirectory(prefix="edgekit-") as folder:
        # A fixed name, so that a model without one gets the same on every run.
        copy = Path(folder) / f"model{kind}"
        shutil.copyfile(path, copy)
        try:
            _modernize(copy, kind)
            model = keras.models.load_model(copy, compile=False, safe_mode=True)
        except EdgeKitError:
            raise
        # Keras raises what the damage or the unknown layer hits.
        except Exception as error:
            raise _refusal(path.name, error) from error
    if not isinstance(model, keras.Model) or not model.built or not model.inputs:
        raise ModelError(
            f"{path.name} is a model without a fixed input shape", hint="build it (give an Input layer), then save it"
        )
    return model


def load_saved_model(path: Path) -> tuple[Any, Any]:
    """Load a SavedModel folder.

    Args:
        path: the folder.

    Returns:
        The loaded object, which keeps the variables alive; and its serving function.

    Raises:
        ModelError: damaged, without a serving signature, with several inputs, or with file or Python operations.
    """
    import tensorflow as tf

    require_safe_keras()
    examine(path)
    _refuse_forbidden_ops(path)
    try:
        loaded = tf.saved_model.load(str(path))
    # TensorFlow raises what the damage hits.
    except Exception as error:
        raise _refusal(path.name, error) from error
    signatures = dict(loaded.signatures)
    if "serving_default" not in signatures:
        raise ModelError(
            f"SavedModel {path.name} has no signature 'serving_default'; it has {sorted(signatures) or 'none'}",
            hint="export it with model.export(folder), which writes that signature",
        )
    function = signatures["serving_default"]
    inputs = function.structured_input_signature[1]
    if len(inputs) != 1:
        raise ModelError(
            f"SavedModel {path.name} has {len(inputs)} inputs, expected 1",
            hint="join the inputs into one array and split it inside the model",
        )
    return loaded, function


def modernized_config(config: Any) -> Any:
    """Return a model's config without what only Keras 2 knows.

    Args:
        config: the decoded JSON of a config, or any part of one.

    Example:
        >>> layer = {"class_name": "DepthwiseConv2D", "config": {"name": "d", "groups": 1}}
        >>> modernized_config(layer)["config"]
        {'name': 'd'}
    """
    if isinstance(config, list):
        return [modernized_config(item) for item in config]
    if not isinstance(config, dict):
        return config
    changed = {key: modernized_config(value) for key, value in config.items()}
    name, settings = changed.get("class_name"), changed.get("config")
    if name == "Sequential":
        changed["config"] = _with_input_layer(settings)
    elif isinstance(name, str) and isinstance(settings, dict):
        changed["config"] = _modernized_settings(name, settings)
    return changed


def _modernized_settings(name: str, settings: dict[str, Any]) -> dict[str, Any]:
    neutral = _DROPPED.get(name, {})
    kept = {
        key: value
        for key, value in settings.items()
        if key not in neutral or (neutral[key] is not ... and value != neutral[key])
    }
    axis = kept.get("axis")
    if name == "BatchNormalization" and isinstance(axis, list) and len(axis) == 1:
        kept["axis"] = axis[0]
    return kept


def _with_input_layer(settings: Any) -> Any:
    """Say the input's shape of a Sequential model in an InputLayer; Keras 2 said it in the first layer's settings."""
    if isinstance(settings, list):
        # Keras before 2.2.3 wrote the bare list of layers.
        settings = {"name": "sequential", "layers": settings}
    layers = settings.get("layers") if isinstance(settings, dict) else None
    if not isinstance(layers, list) or not all(isinstance(layer, dict) for layer in layers):
        return settings
    shapes = [
        layer["config"].pop("batch_input_shape", None)
        for layer in layers
        if isinstance(layer.get("config"), dict) and layer.get("class_name") != "InputLayer"
    ]
    if shapes and shapes[0] is not None and layers[0].get("class_name") != "InputLayer":
        given = {"batch_input_shape": shapes[0], "dtype": "float32", "name": "input"}
        layers = [{"class_name": "InputLayer", "config": given}, *layers]
    return {**settings, "layers": layers}


def _modernize(path: Path, kind: ModelKind) -> None:
    """Rewrite the config of the copy at `path` where Keras 3 would stumble over it."""
    if kind is ModelKind.H5:
        import h5py

        with h5py.File(path, "r+") as file:
            stored = file.attrs["model_config"]
            config = json.loads(stored)
            modern = modernized_config(config)
            if modern != config:
                file.attrs["model_config"] = json.dumps(modern)
        return
    with zipfile.ZipFile(path) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    config = json.loads(members["config.json"])
    modern = modernized_config(config)
    if modern != config:
        with zipfile.ZipFile(path, "w") as archive:
            for name, content in {**members, "config.json": json.dumps(modern).encode()}.items():
                archive.writestr(name, content)


def _refusal(name: str, error: Exception) -> ModelError:
    text = str(error)
    # Keras hides the cause behind the whole config of the layer.
    _, _, cause = text.rpartition("Exception encountered:")
    reason = " ".join(cause.split("\n\n")[0].split())[:300] or type(error).__name__
    if "Could not locate class" in text or "Unknown layer" in text:
        hint = (
            "custom layers are not in the file: give the module that registers them with --objects, or export() the "
            "model as a SavedModel"
        )
    elif "Unrecognized keyword" in text:
        hint = (
            "Keras 3 has no such setting: rebuild this layer with Keras 3, load the weights, and save the model again"
        )
    elif "unsafe" in text or "Lambda" in text or "safe_mode" in text:
        hint = "a Lambda layer runs Python code from the file, so it is refused: use a Keras layer instead"
    else:
        hint = "save the model again with the newest Keras, or copy the file again"
    return ModelError(f"{name} cannot be loaded: {reason}", hint=hint)


def _refuse_forbidden_ops(path: Path) -> None:
    from tensorflow.core.protobuf import saved_model_pb2

    message = saved_model_pb2.SavedModel()
    try:
        message.ParseFromString((path / "saved_model.pb").read_bytes())
    # protobuf's DecodeError has moved between its modules.
    except Exception as error:
        raise ModelError(
            f"{path.name}/saved_model.pb is truncated or damaged ({error})", hint="export the model again"
        ) from error
    graphs = [meta.graph_def for meta in message.meta_graphs]
    nodes = [node for graph in graphs for node in graph.node]
    nodes += [node for graph in graphs for function in graph.library.function for node in function.node_def]
    found = sorted({node.op for node in nodes} & _FORBIDDEN_OPS)
    if found:
        raise ModelError(
            f"SavedModel {path.name} holds operations that touch files or run Python: {', '.join(found)}",
            hint="export the model without preprocessing from files",
        )
