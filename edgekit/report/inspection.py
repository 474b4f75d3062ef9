"""What a model is made of: operators or layers, MACs, sizes, sparsity, arena."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edgekit.errors import UnsupportedOpError
from edgekit.model_source import ModelSource, resolve
from edgekit.progress import Progress, silent
from edgekit.tflite.graph import Graph, Op
from edgekit.tflite.macs import op_macs


@dataclass(frozen=True, slots=True)
class Row:
    """One operator of a flatbuffer, or one layer of a Keras model.

    Attributes:
        index: position in execution order.
        operator: its kind; for a layer its class and name.
        shape, dtype: of the first output; batch included.
        macs: multiply-accumulates; None where they are not counted (Keras layers).
        constants_bytes: weights and biases as stored.
        sparsity: fraction of zeros in the weights; None without weights.
    """

    index: int
    operator: str
    shape: tuple[int, ...]
    dtype: str
    macs: int | None
    constants_bytes: int
    sparsity: float | None


@dataclass(frozen=True, slots=True)
class Inspection:
    """A model, looked at.

    Attributes:
        title: name and kind.
        sha256: of the flatbuffer; None for a Keras model.
        rows: in execution order.
        file_bytes: size of the file.
        arena_bytes: that the aot engine plans; None where it cannot run the model, or for a Keras model.
        arena_note: why `arena_bytes` is None.
        sparsity: fraction of zeros in all weights.
    """

    title: str
    sha256: str | None
    rows: tuple[Row, ...]
    file_bytes: int
    arena_bytes: int | None
    arena_note: str | None
    sparsity: float | None

    def sums(self) -> tuple[tuple[str, str], ...]:
        """Return (label, value) of what holds for the whole model."""
        counted = [row.macs for row in self.rows if row.macs is not None]
        arena = f"{self.arena_bytes:,} B, planned for engine aot" if self.arena_bytes is not None else self.arena_note
        return (
            ("MACs", f"{sum(counted):,}" if counted else "counted on the converted model: `edgekit convert`"),
            ("constants", f"{sum(row.constants_bytes for row in self.rows):,} B"),
            ("sparsity", "–" if self.sparsity is None else f"{self.sparsity:.3f}"),
            ("arena", arena or "–"),
            ("file", f"{self.file_bytes:,} B"),
            ("sha256", self.sha256 or "of the flatbuffer: `edgekit convert`"),
        )

    def to_json(self) -> dict[str, Any]:
        """Return the object that `inspect --json` prints."""
        counted = [row.macs for row in self.rows if row.macs is not None]
        return {
            "model": {"name": self.title, "sha256": self.sha256, "macs": sum(counted) if counted else None},
            "file_bytes": self.file_bytes,
            "constants_bytes": sum(row.constants_bytes for row in self.rows),
            "arena_bytes": self.arena_bytes,
            "arena_note": self.arena_note,
            "sparsity": self.sparsity,
            "operators": [dataclasses.asdict(row) for row in self.rows],
        }


def inspect(model: Path, progress: Progress = silent) -> Inspection:
    """Look at a model.

    Args:
        model: a .tflite (no TensorFlow needed), or a Keras model or SavedModel, which its own child process loads.
        progress: told what happens.

    Raises:
        UsageError: no such file, or no model.
        ModelError: the model is damaged.
    """
    source = resolve(model)
    return _flatbuffer(source) if source.is_flatbuffer else _keras(source, progress)


def _flatbuffer(source: ModelSource) -> Inspection:
    from edgekit.tflite.graph import read

    graph = read(source.path)
    arena_bytes, note = _arena(graph)
    seen: set[int] = set()
    rows = tuple(_row(graph, op, seen) for op in graph.ops)
    weights = [tensor.data for tensor in graph.tensors if tensor.data is not None and tensor.dtype == "int8"]
    size = len(graph.flatbuffer)
    return Inspection(source.name, graph.sha256, rows, size, arena_bytes, note, _sparsity(weights))


def _row(graph: Graph, op: Op, seen: set[int]) -> Row:
    """Describe one operator; a constant that two operators share is counted at the first."""
    constants = [graph.tensors[index] for index in op.inputs if index >= 0 and graph.tensors[index].data is not None]
    fresh = [tensor for tensor in constants if tensor.index not in seen]
    seen.update(tensor.index for tensor in constants)
    output = graph.tensors[op.outputs[0]]
    weights = [tensor.data for tensor in constants if tensor.data is not None and tensor.dtype == "int8"]
    stored = sum(tensor.size_bytes for tensor in fresh)
    return Row(op.index, op.kind, output.shape, output.dtype, op_macs(graph, op), stored, _sparsity(weights))


def _sparsity(weights: list[NDArray[Any]]) -> float | None:
    total = sum(array.size for array in weights)
    return 1 - sum(int(np.count_nonzero(array)) for array in weights) / total if total else None


def _arena(graph: Graph) -> tuple[int | None, str | None]:
    from edgekit.engine.program import program
    from edgekit.errors import ModelError

    try:
        return program(graph).memory.arena_bytes, None
    except UnsupportedOpError as error:
        return None, error.what
    except ModelError as error:
        return None, f"not planned: {error.what}"


def _keras(source: ModelSource, progress: Progress) -> Inspection:
    from edgekit.worker import Worker

    progress(f"load {source.name}")
    with Worker() as worker:
        answer = worker.call("edgekit.report.keras_layers:layers", {"model": str(source.path)}, progress)
    rows = tuple(Row(**{**row, "shape": tuple(row["shape"])}) for row in answer["rows"])
    files = [source.path] if source.path.is_file() else [path for path in source.path.rglob("*") if path.is_file()]
    size = sum(path.stat().st_size for path in files)
    note = "planned on the converted model: `edgekit convert`, then `edgekit inspect` on its .tflite"
    return Inspection(f"{source.name} (Keras)", None, rows, size, None, note, answer["sparsity"])
