"""A model that looks its input up in a table takes ids as they are, and no others than it has rows for."""

from __future__ import annotations

from pathlib import Path

import matrix
import numpy as np
import pytest

from edgekit import conversion as convert_module
from edgekit.data import Data
from edgekit.errors import DataError
from edgekit.golden import golden_inputs
from edgekit.tflite import graph
from edgekit.worker import Worker

pytestmark = pytest.mark.slow
ROW = "embedding_of_float32"


@pytest.fixture(scope="module")
def model(worker: Worker, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("ids")
    worker.call("matrix_rows:write", {"row": ROW, "folder": str(folder)})
    return folder / "model.keras"


@pytest.mark.parametrize(
    ("value", "message"),
    [
        (40.0, r"holds id 40, the model's table has rows 0 to 39"),
        (0.5, "fractions or negative numbers"),
        (-1.0, "fractions or negative numbers|holds id -1"),
    ],
)
def test_what_is_no_id_is_refused(
    value: float, message: str, model: Path, worker: Worker, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(convert_module, "Worker", lambda **_: matrix.SharedWorker(worker))
    x = np.full((6, 10), 3, np.float32)
    x[2, 4] = value
    with pytest.raises(DataError, match=message):
        convert_module.convert(model, data=Data(x))


def test_random_ids_stay_inside_of_the_table(rows_folder: Path, worker: Worker) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(convert_module, "Worker", lambda **_: matrix.SharedWorker(worker))
        patch.setattr("edgekit.tflite.conversion_metric.interpreters.run", matrix.run_here)
        parsed = matrix.convert_row(worker, ROW, rows_folder).graph
    assert parsed.tensors[parsed.inputs[0]].dtype == "int32"
    inputs, _ = golden_inputs(graph.parse(parsed.flatbuffer), None, 20)
    ids = np.frombuffer(b"".join(inputs), np.int32)
    assert ids.min() >= 0 and ids.max() < 40 and len(set(ids)) > 20
