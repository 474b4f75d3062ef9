"""Keras model in, full-integer .tflite out: compressed, converted, rewritten, checked, and measured against float."""

from __future__ import annotations

import dataclasses
import os
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from edgekit import metrics
from edgekit.compress import StepResult, recipe_to_toml
from edgekit.data import Data, validate
from edgekit.errors import DataError, ModelError
from edgekit.progress import Progress, silent
from edgekit.tflite import proof
from edgekit.tflite.conversion_blame import with_layer
from edgekit.tflite.conversion_checks import check_converted, findings
from edgekit.tflite.conversion_metric import MetricResult as MetricResult
from edgekit.tflite.conversion_metric import Samples, choose, measure, metric_samples
from edgekit.tflite.graph import parse, read
from edgekit.tflite.model_files import ModelKind, examine
from edgekit.tflite.rewrite import Rewritten, rewrite
from edgekit.worker import Worker, WorkerCrashError

if TYPE_CHECKING:
    from edgekit.compress import Recipe

_CALIBRATION_SAMPLES = 200
# TensorFlow alone takes 0.7 GB; the rest of the machine must go on.
_MEMORY_SHARE = 0.8


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
        notes: what the user should know of the result, one sentence each.
    """

    flatbuffer: bytes
    name: str
    metric: MetricResult | None
    compression: tuple[StepResult, ...]
    converted: bool
    keras_model: bytes | None
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class _Options:
    """As `convert` takes them; `metric` is its name and the folder in which "module:function" is looked up."""

    metric: tuple[str | None, Path]
    objects: str | None
    memory_limit_bytes: int
    resume: Path | None


def convert(
    model: Path,
    *,
    data: Data | None,
    recipe: Recipe | None = None,
    metric: str | None = None,
    base: Path = Path(),
    objects: str | None = None,
    memory_limit_bytes: int | None = None,
    resume: Path | None = None,
    progress: Progress = silent,
) -> Conversion:
    """Compress (where a recipe is given) and convert a model to full int8.

    Args:
        model: .keras, .h5, SavedModel folder, or a .tflite that is int8 already.
        data: calibration comes from its x_train only; metric and agreement from x_test.
        recipe: compression to apply first; Keras models only.
        metric: "accuracy", "auc", "mse" or "module:function"; None chooses by the model's shape.
        base: folder in which "module:function" is looked up first.
        objects: Python file or module that registers custom layers; it is imported, in the child alone.
        memory_limit_bytes: of the process that converts; None for four fifths of the machine's memory.
        resume: folder in which compression keeps what is finished, to go on after a kill; None keeps nothing.
        progress: told the steps.

    Returns:
        The model, int8 (int32 for ids) in and out, batch 1, no float tensor at any operator.

    Raises:
        ModelError: damaged, float where int8 was wanted, not convertible, or not to be compressed. Where the
            converter crashed, the message names the layer.
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
    options = _Options((metric, base), objects, memory_limit_bytes or memory_of_machine_bytes(), resume)
    if kind is ModelKind.TFLITE:
        return _pass_through(model, data, options)
    if data is None:
        raise DataError(
            f"{model.name} needs representative data: int8 scales are measured, never guessed",
            hint="give --data samples.npz with x_train (or x) of some 100 typical inputs, or module:function",
        )
    return _convert(model, data, recipe, options, progress)


def memory_of_machine_bytes() -> int:
    """Return the part of this machine's memory that a conversion may take when nothing else is said."""
    return int(_MEMORY_SHARE * os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE"))


def _convert(model: Path, data: Data, recipe: Recipe | None, options: _Options, progress: Progress) -> Conversion:
    """Run the child, then rewrite, check and measure what came back."""
    chosen = metric_samples(data)
    limit = options.memory_limit_bytes
    with tempfile.TemporaryDirectory(prefix="edgekit-") as name:
        folder = Path(name)
        _write_data(folder / "data.npz", data, chosen)
        request = {
            "model": str(model.resolve()),
            "folder": name,
            "objects": options.objects,
            "recipe": recipe_to_toml(recipe) if recipe is not None and recipe.steps else None,
            "metric": options.metric[0],
            "resume": str(options.resume.resolve()) if options.resume is not None else None,
        }
        try:
            with Worker(memory_limit_bytes=limit) as worker:
                answer = worker.call("edgekit.conversion_child:convert", request, progress)
        except WorkerCrashError as error:
            raise with_layer(error, request, limit, progress) from error
        rewritten = rewrite((folder / "model.tflite").read_bytes())
        before = np.load(folder / "before.npy")
        after = np.load(folder / "after.npy") if answer["steps"] else None
        compressed = folder / "compressed.keras"
        keras_model = compressed.read_bytes() if answer["steps"] else None
    graph = parse(rewritten.flatbuffer)
    check_converted(graph, answer["weight_elements"], answer["layers"])
    progress("comparing float and int8")
    metric = measure(graph, chosen, options.metric, (before, after))
    return Conversion(
        flatbuffer=rewritten.flatbuffer,
        name=model.resolve().stem if model.is_file() else model.resolve().name,
        metric=metric,
        compression=tuple(StepResult.from_json(step) for step in answer["steps"]),
        converted=True,
        keras_model=keras_model,
        notes=findings(graph, metric),
    )


def _pass_through(model: Path, data: Data | None, options: _Options) -> Conversion:
    given = read(model)
    rewritten = rewrite(given.flatbuffer)
    graph = parse(rewritten.flatbuffer) if rewritten.changes else given
    proof.require_full_integer(graph)
    chosen = None if data is None else metric_samples(data)
    # Without labels and without a float model there is nothing to compare with.
    labeled = chosen is not None and (chosen.y is not None or options.metric[0] is not None)
    result = measure(graph, chosen, options.metric, None) if chosen is not None and labeled else None
    notes = (*_told(rewritten), *findings(graph, result))
    return Conversion(graph.flatbuffer, model.resolve().stem, result, (), False, None, notes)


def _told(rewritten: Rewritten) -> tuple[str, ...]:
    """A file of the user's that was changed must say so."""
    if not rewritten.changes:
        return ()
    made = ", ".join(f"{count} x {name.replace('_', ' ')}" for name, count in rewritten.changes)
    return (f"the .tflite was rewritten so that integers do all of it, and do it right: {made}",)


def _write_data(path: Path, data: Data, chosen: Samples) -> None:
    arrays: dict[str, Any] = {
        "calibration": data.x_train[choose(len(data.x_train), _CALIBRATION_SAMPLES)],
        "compare": chosen.x,
    }
    arrays |= {
        field.name: getattr(data, field.name)
        for field in dataclasses.fields(data)
        if field.name != "labels" and getattr(data, field.name) is not None
    }
    np.savez(path, **arrays)
