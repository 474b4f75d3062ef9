"""The int8 model of a compressed one, and how good it is: the judge runs it on every test sample."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import keras

    from edgekit.compress import QuantizationPlan
    from edgekit.data import Data


def converted(model: keras.Model, plan: QuantizationPlan, data: Data) -> bytes:
    """Convert as `edgekit convert` does, in a child, calibrated with the training part."""
    from edgekit.conversion import convert
    from edgekit.tflite.keras_file import keras_bytes

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "model.keras"
        path.write_bytes(keras_bytes(model, plan))
        return convert(path, data=data).flatbuffer


def accuracy(flatbuffer: bytes, data: Data) -> float:
    """Return the share of the whole test part that TFLM's interpreter classifies as its label."""
    from edgekit import metrics
    from edgekit.tflite import graph, interpreters, quantize

    assert data.x_test is not None
    parsed = graph.parse(flatbuffer)
    inputs = quantize.quantize_input(parsed, data.x_test)
    ran = interpreters.run(flatbuffer, inputs, interpreters.Interpreter.TFLM, timeout_s=1200)
    outputs = quantize.dequantize_output(parsed, ran.outputs)
    return metrics.evaluate("accuracy", outputs, data.x_test, data.y_test, Path())
