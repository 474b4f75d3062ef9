"""A row of the conversion matrix: written, converted and kept for all tests of a run."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

import filelock
import numpy as np
from numpy.typing import NDArray

from edgekit import conversion as convert_module
from edgekit.data import Data
from edgekit.tflite import interpreter_child
from edgekit.tflite.graph import Graph, parse
from edgekit.tflite.interpreters import Interpreter, Run
from edgekit.worker import Worker


@dataclass(frozen=True)
class Converted:
    """A row of the matrix: its graph, what the conversion said of it, and the samples it has not seen.

    Attributes:
        graph: read back.
        sqnr_db, litert_sqnr_db: against float Keras, on TFLM and LiteRT; None for integer outputs.
        notes: what the conversion said.
        x: samples that were not used for calibration, shape (n, *input).
    """

    graph: Graph
    sqnr_db: float | None
    litert_sqnr_db: float | None
    notes: tuple[str, ...]
    x: NDArray[np.float32]


class SharedWorker:
    """Stands in for `Worker`: the TensorFlow child of this test process."""

    def __init__(self, worker: Worker) -> None:
        self._worker = worker

    def __enter__(self) -> Worker:
        return self._worker

    def __exit__(self, *error: object) -> None:
        pass


def run_here(flatbuffer: bytes, inputs: tuple[bytes, ...], interpreter: Interpreter, *, timeout_s: float = 0) -> Run:
    """`interpreters.run` without a child: these models are EdgeKit's own, and a start costs more than a run."""
    runner = interpreter_child._load(interpreter.value, flatbuffer)
    outputs = []
    for sample in inputs:
        values = runner.run(interpreter_child._split(sample, runner.inputs))
        outputs.append(b"".join(np.ascontiguousarray(value).tobytes() for value in values))
    return Run(tuple(outputs), "", None)


def convert_row(worker: Worker, row: str, kept: Path, writer: str = "matrix_rows:write") -> Converted:
    """Return a row, converted by the first test process that asks; <row>.tflite lies in `kept` afterwards.

    Args:
        worker: the TensorFlow child.
        row: name of the model.
        kept: folder of this run.
        writer: function that writes model.keras and data.npz in the child.
    """
    facts = kept / f"{row}.json"
    with filelock.FileLock(kept / f"{row}.lock"):
        if not facts.is_file():
            _convert(worker, row, kept, writer)
    with np.load(kept / row / "data.npz") as arrays:
        x = arrays["x_test"]
    return Converted(parse((kept / f"{row}.tflite").read_bytes()), *json.loads(facts.read_text()), x)


def _convert(worker: Worker, row: str, kept: Path, writer: str) -> None:
    folder = kept / row
    folder.mkdir(exist_ok=True)
    worker.call(writer, {"row": row, "folder": str(folder)})
    with np.load(folder / "data.npz") as arrays:
        data = Data(arrays["x_train"], None, arrays["x_test"], None)
    conversion = convert_module.convert(folder / "model.keras", data=data, objects="custom_layers")
    (kept / f"{row}.tflite").write_bytes(conversion.flatbuffer)
    metric = conversion.metric
    assert metric is not None
    facts = (metric.sqnr_db, metric.litert_sqnr_db, conversion.notes)
    (kept / f"{row}.json").write_text(json.dumps(facts))
