"""The float model beside its int8 conversion: what every tensor holds before anything is quantized."""

from __future__ import annotations

import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edgekit.progress import Progress, silent
from edgekit.tflite import interpreters
from edgekit.tflite.graph import parse
from edgekit.tflite.interpreters import Interpreter
from edgekit.tflite.tap import split, tap
from edgekit.worker import Worker


@dataclass(frozen=True, slots=True, eq=False)
class FloatTwin:
    """A float model's values on some samples.

    Attributes:
        outputs: of the framework itself (Keras, SavedModel), first output, float32, shape (n, *output).
        converted: the same from the float .tflite.
        tensors: name of an activation in the float .tflite -> its values, shape (n, *tensor).
        version: of the interpreter that ran the float .tflite.
    """

    outputs: NDArray[np.float32]
    converted: NDArray[np.float32]
    tensors: dict[str, NDArray[np.float32]]
    version: str


def float_twin(
    model: Path, samples: NDArray[np.float32], objects: str | None = None, progress: Progress = silent
) -> FloatTwin:
    """Run the float model, and convert it without quantization to see its inside.

    Args:
        model: .keras, .h5 or SavedModel.
        samples: float32, shape (n, *input).
        objects: Python file or module that registers custom layers.
        progress: told the steps.

    Returns:
        Its values.

    Raises:
        ModelError: the model cannot be loaded, converted or run.
        DataError: the samples do not have the model's input shape.
    """
    with tempfile.TemporaryDirectory(prefix="edgekit-") as name:
        folder = Path(name)
        np.save(folder / "samples.npy", samples)
        request: dict[str, Any] = {"model": str(model.resolve()), "folder": name, "objects": objects}
        with Worker() as worker:
            worker.call("edgekit.tflite.float_child:convert_float", request, progress)
        outputs = np.load(folder / "float.npy")
        flatbuffer = (folder / "float.tflite").read_bytes()
    graph = parse(flatbuffer)
    tapped = tap(graph)
    inputs = tuple(np.ascontiguousarray(sample).tobytes() for sample in samples)
    run = interpreters.run(tapped.graph.flatbuffer, inputs, Interpreter.LITERT, timeout_s=60 + 2.0 * len(inputs))
    runs = [split(tapped.tensors, output) for output in run.outputs]
    values = {
        tensor.name: np.stack([each[position] for each in runs])
        for position, tensor in enumerate(tapped.tensors)
        if tensor.dtype == "float32"
    }
    last = graph.tensors[graph.outputs[0]].name
    converted = values[last][:, 0] if last in values else outputs
    return FloatTwin(outputs, converted.reshape(outputs.shape), values, run.version)
