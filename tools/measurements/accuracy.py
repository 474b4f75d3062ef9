"""How good the shipped flatbuffers are: TFLM's interpreter runs the whole test part."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from cells import COMPRESSED, REPOSITORY

from edgekit import data, metrics, model_folder
from edgekit.tflite import graph, interpreters, quantize


def key(model: str) -> str:
    """Its name in the file of results."""
    return f"{model} accuracy"


def wanted() -> list[str]:
    """Return the models of models/ that are compared: those that compression made, and those they are beside."""
    return sorted({*COMPRESSED, *COMPRESSED.values()})


def measure(model: str) -> dict[str, Any]:
    """Return the share of the test part that a model classifies as its label, and the number of samples."""
    folder = REPOSITORY / "models" / model
    samples = data.load(model_folder.read(folder).data, folder)
    assert samples.x_test is not None
    flatbuffer = (folder / "model.tflite").read_bytes()
    parsed = graph.parse(flatbuffer)
    inputs = quantize.quantize_input(parsed, samples.x_test)
    ran = interpreters.run(flatbuffer, inputs, interpreters.Interpreter.TFLM, timeout_s=1200)
    outputs = quantize.dequantize_output(parsed, ran.outputs)
    share = metrics.evaluate("accuracy", outputs, samples.x_test, samples.y_test, Path())
    return {"accuracy": share, "samples": len(outputs)}
