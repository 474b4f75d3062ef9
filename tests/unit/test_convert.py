"""Conversion: Keras, Keras 2, SavedModel and .tflite in; full int8 out, or one clear error."""

from __future__ import annotations

from pathlib import Path

import keras_files
import numpy as np
import pytest
from tiny_models import dense_int8

from edgekit import conversion as module
from edgekit.compress import recipe_from_tables
from edgekit.conversion import Conversion, convert
from edgekit.data import Data
from edgekit.errors import DataError, ModelError, UnknownNameError
from edgekit.tflite import graph, proof, quantize
from edgekit.tflite.conversion_checks import check_converted
from edgekit.worker import Worker

RNG = np.random.default_rng(5)
X = RNG.normal(size=(40, *keras_files.SHAPE)).astype(np.float32)
KERAS = Path(__file__).parents[2] / "models" / "digits" / "model.keras"
DATA = Data(X[:30], RNG.integers(0, 3, 30), X[30:], RNG.integers(0, 3, 10))
PRUNE = recipe_from_tables("half", [{"technique": "prune", "sparsity": 0.5, "epochs": 1}])
slow = pytest.mark.slow


class _Shared:
    """Stands in for `Worker`: one TensorFlow child for all tests of this file."""

    def __init__(self, worker: Worker) -> None:
        self._worker = worker

    def __enter__(self) -> Worker:
        return self._worker

    def __exit__(self, *error: object) -> None:
        pass


@pytest.fixture(scope="module")
def worker(tensorflow_worker: Worker) -> Worker:
    return tensorflow_worker


@pytest.fixture(scope="module")
def models(worker: Worker, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("models")
    worker.call("keras_files:write", {"folder": str(folder)})
    return folder


@pytest.fixture
def _shared(worker: Worker, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "Worker", lambda **_: _Shared(worker))


def require_sound(conversion: Conversion) -> graph.Graph:
    parsed = graph.parse(conversion.flatbuffer)
    assert conversion.converted and proof.float_tensors(parsed) == ()
    ends = [parsed.tensors[index] for index in (*parsed.inputs, *parsed.outputs)]
    assert all(tensor.dtype == "int8" and tensor.shape[0] == 1 for tensor in ends)
    return parsed


@slow
@pytest.mark.usefixtures("_shared")
@pytest.mark.parametrize("name", ["classifier.keras", "classifier.h5", "keras2.h5", "saved"])
def test_every_form_gives_the_same_computation(name: str, models: Path) -> None:
    conversion = convert(models / name, data=DATA)
    parsed = require_sound(conversion)
    # Dense (128 or 48 inputs), convolution, depthwise; Flatten leaves at most a RESHAPE: no shape arithmetic.
    assert {op.kind for op in parsed.ops} <= {"CONV_2D", "DEPTHWISE_CONV_2D", "RESHAPE", "FULLY_CONNECTED", "SOFTMAX"}
    metric = conversion.metric
    assert metric is not None and metric.name == "accuracy" and metric.samples == 10
    assert metric.agreement is not None and metric.agreement >= 0.9
    assert metric.sqnr_db is not None and metric.sqnr_db > 25
    assert metric.float is not None and metric.int8 is not None and abs(metric.float - metric.int8) <= 0.1


@slow
@pytest.mark.usefixtures("_shared")
def test_same_input_same_bytes_also_when_pruned(models: Path) -> None:
    first, second = (convert(models / "classifier.keras", data=DATA, recipe=PRUNE) for _ in range(2))
    assert first.flatbuffer == second.flatbuffer and first.keras_model == second.keras_model is not None
    assert first.compression[0].technique == "prune" and first.metric is not None
    assert first.metric.compressed is not None and first.metric.float is not None
    parsed = require_sound(first)
    weights = [t.data for t in parsed.tensors if t.data is not None and t.dtype == "int8" and t.elements > 50]
    assert weights and all(np.mean(values == 0) >= 0.45 for values in weights)


@slow
@pytest.mark.usefixtures("_shared")
def test_calibration_only_data_gives_agreement_and_no_metric(models: Path) -> None:
    metric = convert(models / "classifier.keras", data=Data(X)).metric
    assert metric is not None and metric.name is None and metric.float is None and metric.int8 is None
    assert metric.agreement is not None and metric.samples_from == "calibration data"


@slow
@pytest.mark.usefixtures("_shared")
def test_calibration_never_touches_the_test_part(models: Path) -> None:
    loud = Data(DATA.x_train, DATA.y_train, 1000 * X[30:], DATA.y_test)
    assert (
        convert(models / "classifier.keras", data=loud).flatbuffer
        == convert(models / "classifier.keras", data=DATA).flatbuffer
    )


@slow
@pytest.mark.usefixtures("_shared")
def test_autoencoder_is_measured_by_auc(models: Path) -> None:
    # Anomalies are the loud half of the test part; calibration has seen their range.
    labels = np.arange(40) % 2
    x = RNG.uniform(-1, 1, (240, 6)).astype(np.float32)
    data = Data(x[:200], None, x[200:] * np.where(labels, 1, 0.4).astype(np.float32)[:, None], labels)
    metric = convert(models / "autoencoder.keras", data=data).metric
    assert metric is not None and metric.name == "auc" and metric.agreement is None
    assert metric.largest_error_steps is not None and metric.largest_error_steps < 6
    assert metric.float is not None and metric.int8 is not None
    assert metric.float > 0.8 and abs(metric.float - metric.int8) < 0.05


@slow
@pytest.mark.usefixtures("_shared")
@pytest.mark.parametrize(
    ("name", "shape", "message"),
    [
        ("conv3d.keras", (4, 4, 4, 2), r"layer 'conv3d.*' \(Conv3D\): .* float tensors are left .* CONV_3D"),
        ("lambda.keras", (6,), r"lambda\.keras: 'Lambda' named 'lambda': the class Lambda is not loaded from a file"),
        ("two_inputs.keras", (3,), "the model has 2 inputs, expected 1"),
    ],
)
def test_models_that_have_no_int8_form(name: str, shape: tuple[int, ...], message: str, models: Path) -> None:
    data = Data(RNG.normal(size=(10, *shape)).astype(np.float32))
    with pytest.raises(ModelError, match=message) as caught:
        convert(models / name, data=data)
    assert caught.value.hint


@slow
@pytest.mark.usefixtures("_shared")
@pytest.mark.parametrize("name", ["classifier.keras", "saved"])
def test_wrong_input_shape(name: str, models: Path) -> None:
    with pytest.raises(DataError, match=r"the model's input is \[8, 8, 2\], the data has samples of shape \[8, 8\]"):
        convert(models / name, data=Data(X[..., 0]))


@slow
@pytest.mark.usefixtures("_shared")
def test_damage_that_only_keras_sees(models: Path, tmp_path: Path) -> None:
    import h5py

    copy = tmp_path / "damaged.h5"
    copy.write_bytes((models / "classifier.h5").read_bytes())
    with h5py.File(copy, "r+") as file:
        file.attrs["model_config"] = '{"class_name": "Sequential", "config": {"layers": [{"class_name": "MyOwnLayer"'
    with pytest.raises(ModelError, match=r"damaged\.h5: its config is no JSON that can be read"):
        convert(copy, data=DATA)
    (tmp_path / "saved").mkdir()
    (tmp_path / "saved" / "saved_model.pb").write_bytes((models / "saved" / "saved_model.pb").read_bytes()[:999])
    with pytest.raises(ModelError, match=r"saved_model\.pb is truncated or damaged"):
        convert(tmp_path / "saved", data=DATA)


@slow
@pytest.mark.usefixtures("_shared")
@pytest.mark.parametrize(
    ("stem", "shape", "scale"),
    [
        ("anomaly_detection", (640,), 1),
        ("image_classification", (32, 32, 3), 255),
        ("visual_wake_words", (96, 96, 3), 1),
    ],
)
def test_real_models_of_keras_2(stem: str, shape: tuple[int, ...], scale: int, shared_models: Path) -> None:
    x = np.random.default_rng(0).random((10, *shape), np.float32) * scale
    conversion = convert(shared_models / f"{stem}_float.h5", data=Data(x))
    parsed = require_sound(conversion)
    judged = proof.prove(parsed, quantize.quantize_input(parsed, x[:2]))
    assert judged.largest_step is None or judged.largest_step <= 3


@slow
def test_a_real_worker_leaves_the_terminal_quiet(models: Path, capfd: pytest.CaptureFixture[str]) -> None:
    told: list[str] = []
    convert(models / "classifier.keras", data=DATA, progress=lambda what, done=0, total=None: told.append(what))
    out, err = capfd.readouterr()
    assert out == "" and err == ""
    assert told[:2] == ["loading classifier.keras", "tracing classifier.keras"]
    assert told[2].startswith("converting classifier.keras (6 layers")


def test_a_keras_model_without_data_is_refused() -> None:
    with pytest.raises(DataError, match="needs representative data") as caught:
        convert(KERAS, data=None)
    assert "--data" in caught.value.hint


def test_nan_in_the_data_is_refused_before_tensorflow_starts() -> None:
    with pytest.raises(DataError, match="x_train has NaN"):
        convert(KERAS, data=Data(np.full((2, 3), np.nan, np.float32)))


def test_unknown_metric_is_refused_before_tensorflow_starts() -> None:
    with pytest.raises(UnknownNameError, match="unknown metric 'acc'"):
        convert(KERAS, data=DATA, metric="acc")


def test_int8_tflite_passes_through_with_its_metric(tmp_path: Path) -> None:
    flatbuffer = dense_int8(weights=np.eye(2), bias=np.zeros(2))
    (tmp_path / "model.tflite").write_bytes(flatbuffer)
    x = np.array([[3, 1], [0, 9], [5, 2], [1, 1]], np.float32)
    labels = np.array([0, 1, 1, 0])
    classifier = dense_int8(weights=np.array([[1, 0], [0, 1], [0, 0]]), bias=np.zeros(3))
    (tmp_path / "three.tflite").write_bytes(classifier)
    result = convert(tmp_path / "three.tflite", data=Data(x, None, x, labels))
    assert not result.converted and result.flatbuffer == classifier and result.keras_model is None
    assert result.metric is not None and result.metric.float is None and result.metric.agreement is None
    assert result.metric.name == "accuracy" and result.metric.int8 == 0.75
    assert convert(tmp_path / "model.tflite", data=None).metric is None
    with pytest.raises(DataError, match=r"samples have shape \[3\]"):
        convert(tmp_path / "three.tflite", data=Data(np.zeros((4, 3), np.float32), None, np.zeros((4, 3)), labels))


def test_float_tflite_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "float.tflite"
    path.write_bytes(dense_int8(weights=np.eye(2), bias=np.zeros(2), dtype="float32"))
    with pytest.raises(ModelError, match="float model came where an int8 one was wanted"):
        convert(path, data=None)


def test_truncated_tflite_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "cut.tflite"
    path.write_bytes(dense_int8(weights=np.eye(2), bias=np.zeros(2))[:200])
    with pytest.raises(ModelError, match=r"leads to byte [0-9]+ of 200"):
        convert(path, data=None)


def test_flatbuffers_and_saved_models_cannot_be_pruned(tmp_path: Path) -> None:
    (tmp_path / "m.tflite").write_bytes(dense_int8(weights=np.eye(2), bias=np.zeros(2)))
    (tmp_path / "saved").mkdir()
    # A SavedModel with its version and a graph of one nameless node.
    (tmp_path / "saved" / "saved_model.pb").write_bytes(b"\x08\x01\x12\x04\x12\x02\x0a\x00")
    for name in ("m.tflite", "saved"):
        with pytest.raises(ModelError, match="cannot be pruned"):
            convert(tmp_path / name, data=DATA, recipe=PRUNE)


def test_lost_weights_are_noticed() -> None:
    parsed = graph.parse(dense_int8(weights=np.eye(2), bias=np.zeros(2)))
    check_converted(parsed, 4)
    with pytest.raises(ModelError, match="lost weights: 6 constants are left of 100 weights"):
        check_converted(parsed, 100)
