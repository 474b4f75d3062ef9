"""The steps of a recipe one after the other, each measured and, where asked for, kept to go on from after a kill."""

from __future__ import annotations

import dataclasses
import hashlib
import json
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import keras
import numpy as np

from edgekit.atomic import write_atomically
from edgekit.compress.frame import cost
from edgekit.compress.frame.recipe import Recipe, recipe_to_toml
from edgekit.compress.frame.step import CompressionResult, Context, Cost, StepResult, Technique
from edgekit.compress.layers.model_copy import copy_model
from edgekit.progress import Progress
from edgekit.tflite.keras_file import keras_bytes, plan_of
from edgekit.tflite.quantization_plan import QuantizationPlan

if TYPE_CHECKING:
    from edgekit.data import Data


def run(
    model: keras.Model,
    recipe: Recipe,
    data: Data,
    *,
    metric: str | None,
    plan: QuantizationPlan,
    progress: Progress,
    resume: Path | None,
) -> CompressionResult:
    """Apply a recipe; see `edgekit.compress.compress`."""
    if not recipe.steps:
        return CompressionResult(model, (), plan)
    kept = _Kept(resume, _identity(model, recipe, data, metric, plan))
    # A copy: what a technique does by mistake never reaches the model of the caller.
    start = copy_model(model)
    before = cost.cost(start, data, plan, metric)
    result = CompressionResult(start, (), plan)
    for number, technique in enumerate(recipe.steps, 1):
        finished = kept.step(number, result.steps)
        if finished is None:
            finished = _step(
                result, technique, data, metric, before, Context(progress, model, result.plan, kept.folder(number))
            )
            kept.keep(number, finished)
        result = finished
        last = result.steps[-1].after
        before = last if last is not None else before
    return result


def _step(
    so_far: CompressionResult, technique: Technique, data: Data, metric: str | None, before: Cost, context: Context
) -> CompressionResult:
    """Apply one technique and measure what it made."""
    applied = technique.apply(so_far.model, data, context)
    plan = applied.plan if applied.plan is not None else so_far.plan
    context.progress(f"{technique.name}: measuring")
    after = cost.cost(applied.model, data, plan, metric)
    step = dataclasses.replace(applied.step, before=before, after=after)
    return CompressionResult(applied.model, (*so_far.steps, step), plan)


class _Kept:
    """Finished steps in a folder, a sub-folder each; everything of another model, recipe or data is thrown away."""

    def __init__(self, root: Path | None, identity: str) -> None:
        self._root = root
        if root is None:
            return
        mark = root / "identity"
        if not mark.is_file() or mark.read_text("utf-8") != identity:
            for folder in root.glob("step-*"):
                shutil.rmtree(folder)
            write_atomically(mark, identity)

    def folder(self, number: int) -> Path | None:
        """Return where a training of this step keeps its state."""
        return None if self._root is None else self._root / f"step-{number}"

    def step(self, number: int, earlier: Sequence[StepResult]) -> CompressionResult | None:
        """Return a step that was finished before; None where it was not."""
        folder = self.folder(number)
        if folder is None or not (folder / "step.json").is_file():
            return None
        path = folder / "model.keras"
        step = StepResult.from_json(json.loads((folder / "step.json").read_text("utf-8")))
        return CompressionResult(keras.models.load_model(path, compile=False), (*earlier, step), plan_of(path))

    def keep(self, number: int, result: CompressionResult) -> None:
        """Keep a finished step; step.json comes last, so that half a step is none."""
        folder = self.folder(number)
        if folder is None:
            return
        write_atomically(folder / "model.keras", keras_bytes(result.model, result.plan))
        write_atomically(folder / "step.json", json.dumps(dataclasses.asdict(result.steps[-1])))
        for state in folder.glob("*.npz"):
            state.unlink()


def _identity(model: keras.Model, recipe: Recipe, data: Data, metric: str | None, plan: QuantizationPlan) -> str:
    """Hash everything that decides what comes out."""
    digest = hashlib.sha256(f"{recipe_to_toml(recipe)}\0{metric}\0{plan}\0{model.name}".encode())
    arrays = [keras.ops.convert_to_numpy(weight) for weight in model.weights]
    arrays += [array for array in (data.x_train, data.y_train, data.x_test, data.y_test) if array is not None]
    for array in arrays:
        digest.update(f"{array.shape}{array.dtype}".encode())
        digest.update(np.ascontiguousarray(array).tobytes())
    return digest.hexdigest()
