"""The int8 model beside the float model, on the same samples."""

from __future__ import annotations

import builtins
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from edgekit import metrics
from edgekit.data import Data
from edgekit.errors import ModelError
from edgekit.tflite import interpreters
from edgekit.tflite.graph import Graph
from edgekit.tflite.interpreters import Interpreter
from edgekit.tflite.quantize import dequantize_output, quantize_input

Floats = NDArray[np.float32]
# The judge's reference kernels take milliseconds a sample: a metric of 2,000 is known to about one percent point.
_METRIC_SAMPLES = 2000
_AGREEMENT_SAMPLES = 200
_SEED = 0


@dataclass(frozen=True, slots=True)
class MetricResult:
    """The model before and after, on the same samples.

    Attributes:
        name: of the metric; None where there are no labels to compute one.
        float: of the model as it was given; None for a .tflite, which has no float form.
        int8: of the converted model, as the judge computes it.
        agreement: fraction of samples with the same top-1 class in float (after compression) and int8; None where
            the model is no classifier or has no float form.
        compressed: of the float model after compression; None where nothing was compressed.
        largest_error_steps: largest difference of float (after compression) and int8, in steps of the output.
        sqnr_db: signal to quantization noise of all outputs, in dB.
        samples: number of samples.
        samples_from: "test data" or "calibration data".
        interpreter: who ran the int8 model.
        litert_sqnr_db: the same of LiteRT's kernels, on at most 200 samples; None where LiteRT is the judge.
        saturated: fraction of output values at an end of int8's range; None for outputs of other types.
        constant: every sample gave the same output.
    """

    name: str | None
    float: builtins.float | None
    int8: builtins.float | None
    agreement: builtins.float | None
    compressed: builtins.float | None = None
    largest_error_steps: builtins.float | None = None
    sqnr_db: builtins.float | None = None
    samples: int = 0
    samples_from: str = "test data"
    interpreter: str = ""
    litert_sqnr_db: builtins.float | None = None
    saturated: builtins.float | None = None
    constant: bool = False


@dataclass(frozen=True, slots=True, eq=False)
class Samples:
    """What metric and agreement are computed on; `y` is None where there are no labels."""

    x: Floats
    y: NDArray[np.generic] | None
    origin: str


def choose(count: int, limit: int) -> NDArray[np.int64]:
    """Return the indices of at most `limit` of `count` samples, always the same ones, in order."""
    if count <= limit:
        return np.arange(count)
    return np.sort(np.random.default_rng(_SEED).choice(count, limit, replace=False))


def metric_samples(data: Data) -> Samples:
    """Choose from the test part; from the calibration part, without labels, where there is no other."""
    if data.x_test is None:
        return Samples(data.x_train[choose(len(data.x_train), _AGREEMENT_SAMPLES)], None, "calibration data")
    rows = choose(len(data.x_test), _METRIC_SAMPLES)
    return Samples(data.x_test[rows], None if data.y_test is None else data.y_test[rows], "test data")


def measure(
    graph: Graph, samples: Samples, metric: tuple[str | None, Path], floats: tuple[Floats, Floats | None] | None
) -> MetricResult:
    """Compare the float outputs with what the judge computes in int8.

    Args:
        graph: the converted model.
        samples: both have run on.
        metric: its name, None to choose one; and the folder in which "module:function" is looked up.
        floats: outputs before and after compression; None for a model without a float form.
    """
    judge = Interpreter.TFLM if interpreters.available(Interpreter.TFLM) else Interpreter.LITERT_REFERENCE
    inputs = quantize_input(graph, samples.x)
    run = interpreters.run(graph.flatbuffer, inputs, judge, timeout_s=120 + 2.0 * len(inputs))
    int8 = dequantize_output(graph, run.outputs)
    asked, base = metric
    name = asked or metrics.default_metric(int8, samples.x, samples.y)

    def value(outputs: Floats | None) -> float | None:
        if name is None or outputs is None:
            return None
        return metrics.evaluate(name, outputs, samples.x, samples.y, base)

    before, after = floats if floats is not None else (None, None)
    reference = after if after is not None else before
    quant = graph.tensors[graph.outputs[0]].quant
    error = None
    if reference is not None and quant is not None:
        error = float(np.abs(reference - int8).max() / quant.scale[0])
    return MetricResult(
        name=name,
        float=value(before),
        int8=value(int8),
        agreement=None if reference is None else metrics.agreement(reference, int8, samples.x),
        compressed=value(after),
        largest_error_steps=error,
        sqnr_db=None if reference is None else metrics.sqnr_db(reference, int8),
        samples=len(samples.x),
        samples_from=samples.origin,
        interpreter=f"{judge.label} {run.version}",
        litert_sqnr_db=_litert_sqnr_db(graph, inputs, reference) if judge is Interpreter.TFLM else None,
        saturated=_saturated(graph, run.outputs),
        constant=len(set(run.outputs)) == 1 < len({sample.tobytes() for sample in samples.x}),
    )


def _litert_sqnr_db(graph: Graph, inputs: tuple[bytes, ...], reference: Floats | None) -> float | None:
    if reference is None:
        return None
    rows = choose(len(inputs), _AGREEMENT_SAMPLES)
    chosen = tuple(inputs[row] for row in rows)
    try:
        run = interpreters.run(graph.flatbuffer, chosen, Interpreter.LITERT, timeout_s=120 + 2.0 * len(chosen))
    except ModelError:
        # The proof that follows says which interpreter refuses what.
        return None
    return metrics.sqnr_db(reference[rows], dequantize_output(graph, run.outputs))


def _saturated(graph: Graph, outputs: tuple[bytes, ...]) -> float | None:
    tensor = graph.tensors[graph.outputs[0]]
    if tensor.dtype != "int8":
        return None
    values = np.stack([np.frombuffer(output, np.int8, tensor.elements) for output in outputs])
    return float(np.mean((values == -128) | (values == 127)))
