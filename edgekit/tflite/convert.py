"""Keras model in, full-integer .tflite out: compressed, converted, checked, and measured against the float model."""

from __future__ import annotations

import builtins
import dataclasses
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from edgekit import metrics
from edgekit.compress import StepResult, recipe_to_toml
from edgekit.data import Data, validate
from edgekit.errors import DataError, ModelError
from edgekit.progress import Progress, silent
from edgekit.tflite import interpreters, proof
from edgekit.tflite.graph import Graph, parse, read
from edgekit.tflite.interpreters import Interpreter
from edgekit.tflite.model_files import ModelKind, examine
from edgekit.tflite.quantize import dequantize_output, quantize_input
from edgekit.worker import Worker

if TYPE_CHECKING:
    from edgekit.compress import Recipe

_CALIBRATION_SAMPLES = 200
# The judge's reference kernels take milliseconds a sample: a metric of 2,000 is known to about one percent point.
_METRIC_SAMPLES = 2000
_AGREEMENT_SAMPLES = 200
_SEED = 0
# A float32 mask constant in the ranges gives scales of 1e35, and an int8 model that computes nothing.
_LARGEST_SCALE = 1e6
_VARIABLE_OPS = {"VAR_HANDLE", "READ_VARIABLE", "ASSIGN_VARIABLE", "CALL_ONCE"}


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


@dataclass(frozen=True, slots=True, eq=False)
class Conversion:
    """A full-integer model and how it came about.

    Attributes:
        flatbuffer: the .tflite file.
        name: the model's name.
        metric: None where no data was given.
        compression: what each step of the recipe did.
        converted: False for a .tflite passed through.
        keras_model: the compressed .keras file; None where nothing was compressed.
    """

    flatbuffer: bytes
    name: str
    metric: MetricResult | None
    compression: tuple[StepResult, ...]
    converted: bool
    keras_model: bytes | None


def convert(
    model: Path,
    *,
    data: Data | None,
    recipe: Recipe | None = None,
    metric: str | None = None,
    base: Path = Path(),
    progress: Progress = silent,
) -> Conversion:
    """Compress (where a recipe is given) and convert a model to full int8.

    Args:
        model: .keras, .h5, SavedModel folder, or a .tflite that is int8 already.
        data: calibration comes from its x_train only; metric and agreement from x_test.
        recipe: compression to apply first; Keras models only.
        metric: "accuracy", "auc", "mse" or "module:function"; None chooses by the model's shape.
        base: folder in which "module:function" is looked up first.
        progress: told the steps.

    Returns:
        The model, int8 in and out, batch 1, no float tensor at any operator.

    Raises:
        ModelError: damaged, float where int8 was wanted, not convertible, or not to be compressed.
        DataError: no representative data for a Keras model, or data that does not fit it.
        UsageError: no such file, or an unknown metric.
    """
    kind = examine(model)
    if recipe is not None and recipe.steps and kind in (ModelKind.TFLITE, ModelKind.SAVED_MODEL):
        raise ModelError(
            f"{model.name} is a {kind}: it cannot be pruned or compressed, only a Keras model can",
            hint="give the .keras or .h5 model, or leave the recipe out",
        )
    if metric is not None:
        metrics.check_metric(metric)
    if data is not None:
        data = validate(data)
    if kind is ModelKind.TFLITE:
        return _pass_through(model, data, metric, base)
    if data is None:
        raise DataError(
            f"{model.name} needs representative data: int8 scales are measured, never guessed",
            hint="give --data samples.npz with x_train (or x) of some 100 typical inputs, or module:function",
        )
    return _convert(model, data, recipe, (metric, base), progress)


def check_converted(graph: Graph, weight_elements: int) -> None:
    """Refuse what the converter can silently get wrong.

    Args:
        graph: its result, read back.
        weight_elements: number of weights (kernels, tables) that the model has.

    Raises:
        ModelError: weights missing, float left, not int8 in and out, not batch 1, or scales without sense.
    """
    kinds = sorted({op.kind for op in graph.ops} & _VARIABLE_OPS)
    stored = sum(tensor.elements for tensor in graph.tensors if tensor.data is not None)
    if kinds or stored < weight_elements // 2:
        raise ModelError(
            f"the converter lost weights: {stored:,} constants are left of {weight_elements:,} weights"
            + (f", with {', '.join(kinds)} in their place" if kinds else ""),
            hint="save the model with its weights, and convert again",
        )
    proof.require_full_integer(graph)
    for what, indices, allowed in (("input", graph.inputs, ("int8",)), ("output", graph.outputs, ("int8", "int32"))):
        for tensor in (graph.tensors[index] for index in indices):
            if tensor.dtype not in allowed or not tensor.shape or tensor.shape[0] != 1:
                raise ModelError(
                    f"{what} {tensor.name!r} is {tensor.dtype} {list(tensor.shape)}, expected int8 with batch 1",
                    hint="convert a model whose inputs and outputs are plain numbers with the batch as first axis",
                )
    for tensor in graph.tensors:
        if tensor.quant is not None and max(tensor.quant.scale) > _LARGEST_SCALE:
            raise ModelError(
                f"tensor {tensor.name!r} has scale {max(tensor.quant.scale):.3g}, so int8 resolves nothing of it",
                hint="a mask with a huge constant does this: use a small one (-12), or bound the layer's output",
            )


def _convert(
    model: Path, data: Data, recipe: Recipe | None, metric: tuple[str | None, Path], progress: Progress
) -> Conversion:
    """Run the child, then measure what came back."""
    chosen = _metric_samples(data)
    with tempfile.TemporaryDirectory(prefix="edgekit-") as name:
        folder = Path(name)
        _write_data(folder / "data.npz", data, chosen)
        request = {
            "model": str(model.resolve()),
            "folder": name,
            "recipe": recipe_to_toml(recipe) if recipe is not None and recipe.steps else None,
        }
        with Worker() as worker:
            answer = worker.call("edgekit.tflite.convert_child:convert", request, progress)
        flatbuffer = (folder / "model.tflite").read_bytes()
        before = np.load(folder / "before.npy")
        after = np.load(folder / "after.npy") if answer["steps"] else None
        compressed = folder / "compressed.keras"
        keras_model = compressed.read_bytes() if answer["steps"] else None
    graph = parse(flatbuffer)
    check_converted(graph, answer["weight_elements"])
    progress("comparing float and int8")
    return Conversion(
        flatbuffer=flatbuffer,
        name=model.resolve().stem if model.is_file() else model.resolve().name,
        metric=_measure(graph, chosen, metric, (before, after)),
        compression=tuple(StepResult.from_json(step) for step in answer["steps"]),
        converted=True,
        keras_model=keras_model,
    )


def _pass_through(model: Path, data: Data | None, metric: str | None, base: Path) -> Conversion:
    graph = read(model)
    proof.require_full_integer(graph)
    chosen = None if data is None else _metric_samples(data)
    # Without labels and without a float model there is nothing to compare with.
    labeled = chosen is not None and (chosen.y is not None or metric is not None)
    result = _measure(graph, chosen, (metric, base), None) if chosen is not None and labeled else None
    return Conversion(graph.flatbuffer, model.resolve().stem, result, (), converted=False, keras_model=None)


@dataclass(frozen=True, slots=True, eq=False)
class _Samples:
    """What metric and agreement are computed on; `y` is None where there are no labels."""

    x: NDArray[np.float32]
    y: NDArray[np.generic] | None
    origin: str


def _metric_samples(data: Data) -> _Samples:
    """Choose from the test part; from the calibration part, without labels, where there is no other."""
    if data.x_test is None:
        return _Samples(data.x_train[_choice(len(data.x_train), _AGREEMENT_SAMPLES)], None, "calibration data")
    rows = _choice(len(data.x_test), _METRIC_SAMPLES)
    return _Samples(data.x_test[rows], None if data.y_test is None else data.y_test[rows], "test data")


def _choice(count: int, limit: int) -> NDArray[np.int64]:
    if count <= limit:
        return np.arange(count)
    return np.sort(np.random.default_rng(_SEED).choice(count, limit, replace=False))


def _write_data(path: Path, data: Data, chosen: _Samples) -> None:
    arrays: dict[str, Any] = {
        "calibration": data.x_train[_choice(len(data.x_train), _CALIBRATION_SAMPLES)],
        "compare": chosen.x,
    }
    arrays |= {
        field.name: getattr(data, field.name)
        for field in dataclasses.fields(data)
        if field.name != "labels" and getattr(data, field.name) is not None
    }
    np.savez(path, **arrays)


def _measure(
    graph: Graph,
    samples: _Samples,
    metric: tuple[str | None, Path],
    floats: tuple[NDArray[np.float32], NDArray[np.float32] | None] | None,
) -> MetricResult:
    """Compare the float outputs (before and after compression) with what the judge computes in int8."""
    judge = Interpreter.TFLM if interpreters.available(Interpreter.TFLM) else Interpreter.LITERT_REFERENCE
    inputs = quantize_input(graph, samples.x)
    run = interpreters.run(graph.flatbuffer, inputs, judge, timeout_s=120 + 2.0 * len(inputs))
    int8 = dequantize_output(graph, run.outputs)
    asked, base = metric
    name = asked or metrics.default_metric(int8, samples.x, samples.y)

    def value(outputs: NDArray[np.float32] | None) -> float | None:
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
    )
