"""One TensorFlow process for all conversions of a test process."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

_HERE = Path(__file__).parent
for folder in (_HERE, _HERE.parent / "kernels"):
    sys.path.insert(0, str(folder))

import matrix  # noqa: E402

from edgekit import conversion as convert_module  # noqa: E402
from edgekit.tflite import conversion_metric  # noqa: E402
from edgekit.worker import Worker  # noqa: E402


@pytest.fixture(scope="session")
def worker(tensorflow_worker: Worker) -> Worker:
    return tensorflow_worker


@pytest.fixture(scope="session")
def rows_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where <row>.tflite of all test processes of this run lie."""
    base = tmp_path_factory.getbasetemp()
    kept = (base.parent if "PYTEST_XDIST_WORKER" in os.environ else base) / "matrix"
    kept.mkdir(exist_ok=True)
    return kept


@pytest.fixture(scope="session")
def converted(worker: Worker, rows_folder: Path) -> Callable[[str], matrix.Converted]:
    """Return a row of the matrix by its name."""

    def get(row: str) -> matrix.Converted:
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(convert_module, "Worker", lambda **_: matrix.SharedWorker(worker))
            patch.setattr(conversion_metric.interpreters, "run", matrix.run_here)
            return matrix.convert_row(worker, row, rows_folder)

    return get


@pytest.fixture(scope="session")
def network(worker: Worker, rows_folder: Path) -> Callable[[str], matrix.Converted]:
    """Return a network of keras.applications by its name; interpreters run in children here."""

    def get(name: str) -> matrix.Converted:
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(convert_module, "Worker", lambda **_: matrix.SharedWorker(worker))
            return matrix.convert_row(worker, name, rows_folder, "networks:write")

    return get
