"""The models that ship: what their folders promise is measured again on the committed test data."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from edgekit import data as edgekit_data
from edgekit import model_folder
from edgekit.data import Data
from edgekit.tflite import graph as graphs

_NAMES = (
    "digits",
    "keyword",
    "keyword-4bit",
    "keyword-clustered",
    "keyword-small",
    "keyword-sparse",
    "motion",
    "sentiment",
    "tiny-mobilenet",
    "tiny-mobilenet-4bit",
    "vibration",
)
# What a training of their own made: nothing is left to do.
_FINISHED = ("keyword-small", "keyword-sparse")


def _folder(repository: Path, name: str) -> model_folder.ModelFolder:
    return model_folder.read(repository / "models" / name)


def _data(repository: Path, name: str) -> Data:
    return edgekit_data.load(_folder(repository, name).data, repository / "models" / name)


@pytest.mark.parametrize("name", _NAMES)
def test_a_folder_says_what_it_holds(name: str, repository: Path) -> None:
    found = _folder(repository, name)
    assert found.name == name and found.metric and found.license
    assert (found.recipe is None) == (name in _FINISHED)
    # Simulated data is called simulated wherever its figure stands.
    assert found.simulated == ("simulated" in found.description)
    assert found.simulated == (name not in ("digits", "tiny-mobilenet", "tiny-mobilenet-4bit"))


@pytest.mark.parametrize("name", _NAMES)
def test_the_features_are_int8_and_the_parts_share_no_sample(name: str, repository: Path) -> None:
    with np.load(repository / "models" / name / _folder(repository, name).data) as arrays:
        assert arrays["x_train"].dtype == arrays["x_test"].dtype == np.int8
        train = {sample.tobytes() for sample in arrays["x_train"]}
        test = {sample.tobytes() for sample in arrays["x_test"]}
        assert not train & test
        assert len(arrays["x_test"]) == len(arrays["y_test"]) >= 400


@pytest.mark.parametrize("name", ["digits", "keyword", "motion", "tiny-mobilenet"])
def test_every_class_is_in_both_parts(name: str, repository: Path) -> None:
    data, labels = _data(repository, name), _folder(repository, name).labels
    for part in (data.y_train, data.y_test):
        assert part is not None
        counts = np.bincount(part.astype(int), minlength=len(labels))
        assert len(counts) == len(labels) and counts.min() >= 40


def test_the_models_are_small_files(repository: Path) -> None:
    kept = [p for p in (repository / "models").rglob("*") if p.is_file() and ".cache" not in p.parts]
    assert sum(path.stat().st_size for path in kept if "__pycache__" not in path.parts) < 11_000_000


def test_the_small_keyword_model_has_at_most_12_000_bytes_of_int8_weights(repository: Path) -> None:
    graph = graphs.read(repository / "models" / "keyword-small" / "model.tflite")
    constants = [tensor for tensor in graph.tensors if tensor.data is not None and tensor.dtype == "int8"]
    assert 10_000 < sum(tensor.elements for tensor in constants) <= 12_000


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "at_least", "at_most"),
    [
        ("digits", 0.98, 1.0),
        ("keyword", 0.95, 1.0),
        ("keyword-small", 0.955, 1.0),
        ("keyword-sparse", 0.94, 1.0),
        ("motion", 0.90, 0.95),
        ("sentiment", 0.94, 0.98),
        ("tiny-mobilenet", 0.90, 0.95),
        ("vibration", 0.90, 0.99),
    ],
)
def test_a_model_keeps_its_promise(name: str, at_least: float, at_most: float, repository: Path) -> None:
    keras: Any = pytest.importorskip("keras")
    model = keras.models.load_model(_folder(repository, name).model)
    data = _data(repository, name)
    assert data.x_test is not None and data.y_test is not None
    outputs = model.predict(data.x_test, verbose=0)
    if name == "vibration":
        scores = np.mean((outputs - data.x_test) ** 2, axis=1)
        sick, healthy = scores[data.y_test == 1], scores[data.y_test == 0]
        measured = float(np.mean(sick[:, None] > healthy[None]))
    else:
        measured = float(np.mean(outputs.argmax(axis=1) == data.y_test))
    assert at_least <= measured <= at_most


@pytest.mark.slow
def test_a_pruned_model_converts_with_its_zeros(repository: Path) -> None:
    """Masked weights are zero in the flatbuffer too, and the digits are still read."""
    import tensorflow as tf

    from edgekit.compress import compress

    keras: Any = pytest.importorskip("keras")
    folder, data = _folder(repository, "digits"), _data(repository, "digits")
    assert folder.recipe is not None and data.x_test is not None and data.y_test is not None
    pruned = compress(keras.models.load_model(folder.model), folder.recipe, data).model
    assert np.mean(pruned.predict(data.x_test, verbose=0).argmax(1) == data.y_test) >= 0.97
    function = tf.function(lambda x: pruned(x, training=False))
    concrete = function.get_concrete_function(tf.TensorSpec((1, 8, 8, 1), tf.float32))
    converter = tf.lite.TFLiteConverter.from_concrete_functions([concrete])
    converter.optimizations = [tf.lite.Optimize.DEFAULT]
    converter.representative_dataset = lambda: ([x[None]] for x in data.x_train[:50])
    converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS_INT8]
    from ai_edge_litert.interpreter import Interpreter

    interpreter = Interpreter(model_content=converter.convert())
    shapes = {(16, 3, 3, 1), (32, 3, 3, 16), (10, 128)}
    for tensor in interpreter.get_tensor_details():
        if tensor["dtype"] is np.int8 and tuple(tensor["shape"]) in shapes:
            weights = interpreter.get_tensor(tensor["index"])
            assert np.mean(weights == 0) >= 0.5
            shapes.remove(weights.shape)
    assert not shapes
