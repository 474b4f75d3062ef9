"""Models whose weights stay small on the device: what zeros in blocks, 4 bits and 16 values cost in accuracy."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from _int8 import accuracy
from _row import REPOSITORY, Figure, Row, at_most, main

if TYPE_CHECKING:
    from numpy.typing import NDArray

_MODELS = REPOSITORY / "models"
# Model, the one that it was made of, and how.
_PAIRS = (
    ("keyword-sparse", "keyword", "blocks of 4 x 4 zero"),
    ("keyword-4bit", "keyword", "4 bits, depthwise too"),
    ("keyword-clustered", "keyword", "16 values a layer, depthwise too"),
    ("tiny-mobilenet-4bit", "tiny-mobilenet", "4 bits, depthwise too"),
)
_NOTE = """\
The shipped .tflite files, on all test samples (of the keyword models: simulated speech), in TFLM's interpreter. The
folders models/keyword-4bit, keyword-clustered and tiny-mobilenet-4bit hold the recipe, which `edgekit convert` makes
the file from again; keyword-sparse comes from models/keyword/sparse.py, which trains on all clips of
models/keyword/clips.py, its teacher being keyword itself. What the weights take on a device, and what the kernels need:
docs/measurements.md."""


def run() -> Row:
    """Judge the shipped files."""
    names = sorted({name for model, beside, _ in _PAIRS for name in (model, beside)})
    right = {name: 100 * _accuracy(_MODELS / name) for name in names}
    table = [("model", "how", "weights", "zeros, %", "type", "most values a layer", "% right as int8", "points lost")]
    table += [(beside, "", *_weights(beside), f"{right[beside]:.2f}", "") for beside in ("keyword", "tiny-mobilenet")]
    figures = []
    for model, beside, how in _PAIRS:
        lost = round(right[beside] - right[model], 2)
        figures.append(at_most(f"{model}: points lost against {beside}", lost, 1.0))
        table.append((model, how, *_weights(model), f"{right[model]:.2f}", f"{lost:.2f}"))
    share = _block_zeros()
    figures.append(Figure("keyword-sparse: zeros of all weights but the depthwise ones, %", share, "≥ 80", share >= 80))
    return Row(
        claim="weights that stay small on the device cost at most a point of accuracy",
        figures=tuple(figures),
        table=tuple(table),
        note=" ".join(_NOTE.split()),
    )


def _accuracy(folder: Path) -> float:
    from edgekit import data, model_folder

    samples = data.load(model_folder.read(folder).data, folder)
    return accuracy((folder / "model.tflite").read_bytes(), samples)


def _weights(model: str) -> tuple[str, ...]:
    """Count weights and zeros, name the types, count the most values that a layer has."""
    import numpy as np

    layers = [(weights, dtype) for _, weights, dtype in _layers(model)]
    total = sum(weights.size for weights, _ in layers)
    zeros = sum(int((weights == 0).sum()) for weights, _ in layers)
    types = sorted({dtype for _, dtype in layers})
    values = max(len(np.unique(weights)) for weights, _ in layers)
    return f"{total:,}", f"{100 * zeros / total:.1f}", ", ".join(types), str(values)


def _block_zeros() -> float:
    """Return how many of the weights lie in blocks of four channels by four weights that are zero as a whole."""
    in_blocks = total = 0
    for kind, weights, _ in _layers("keyword-sparse"):
        if kind != "DEPTHWISE_CONV_2D":
            blocks = weights.reshape(len(weights) // 4, 4, -1, 4)
            in_blocks += 16 * int((blocks == 0).all(axis=(1, 3)).sum())
            total += weights.size
    return round(100 * in_blocks / total, 1)


def _layers(model: str) -> Iterator[tuple[str, NDArray[Any], str]]:
    """Yield (kind, weights, type) of each layer that has weights."""
    from edgekit.tflite.graph import read

    graph = read(_MODELS / model / "model.tflite")
    for op in graph.ops:
        if op.kind in ("CONV_2D", "DEPTHWISE_CONV_2D", "FULLY_CONNECTED"):
            tensor = graph.tensors[op.inputs[1]]
            assert tensor.data is not None
            yield op.kind, tensor.data, tensor.dtype


if __name__ == "__main__":
    main(run)
