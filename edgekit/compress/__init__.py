"""Compression: Keras model in, smaller Keras model out, by a recipe of techniques.

One file a technique: `prune.py` holds class `Prune`; the file name is its name in a recipe. Files that begin
with an underscore are the frame. Importing this package loads neither Keras nor TensorFlow.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from edgekit.compress._recipe import (
    Recipe,
    load_recipe,
    recipe_from_tables,
    recipe_names,
    recipe_to_toml,
    technique_names,
)
from edgekit.compress._step import CompressionResult, LayerChange, StepResult, Technique, setting
from edgekit.progress import Progress, silent

if TYPE_CHECKING:
    import keras

    from edgekit.data import Data

__all__ = [
    "CompressionResult",
    "LayerChange",
    "Recipe",
    "StepResult",
    "Technique",
    "compress",
    "load_recipe",
    "recipe_from_tables",
    "recipe_names",
    "recipe_to_toml",
    "setting",
    "technique_names",
]


def compress(model: keras.Model, recipe: Recipe, data: Data, *, progress: Progress = silent) -> CompressionResult:
    """Apply a recipe to a model.

    Args:
        model: a built Keras 3 model; never changed.
        recipe: techniques, applied left to right.
        data: samples for fine-tuning; only its training part is used.
        progress: told the step, batch by batch.

    Returns:
        An ordinary Keras model (not compiled, no custom objects but the model's own), and what each step did.
        With an empty recipe, the model that came in.

    Raises:
        UsageError: a setting does not fit the model, or the data does not.
        ModelError: the model cannot be compressed, or fine-tuning diverged.
        UntrustworthyError: a technique did not hold what it promises.
    """
    steps: list[StepResult] = []
    for technique in recipe.steps:
        model, step = technique.apply(model, data, progress)
        steps.append(step)
    return CompressionResult(model=model, steps=tuple(steps))
