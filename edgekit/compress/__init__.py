"""Compression: Keras model in, smaller Keras model out, by a recipe of techniques.

One file a technique: `prune.py` holds class `Prune`; the file name is its name in a recipe. Files that begin
with an underscore are the frame. Importing this package loads neither Keras nor TensorFlow.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from edgekit.compress.frame.recipe import (
    Recipe,
    load_recipe,
    recipe_from_tables,
    recipe_names,
    recipe_to_toml,
    technique_class,
    technique_names,
)
from edgekit.compress.frame.step import (
    Applied,
    CompressionResult,
    Context,
    Cost,
    LayerChange,
    LayerOnCore,
    OnCore,
    StepResult,
    Technique,
    setting,
)
from edgekit.progress import Progress, silent
from edgekit.tflite.quantization_plan import QuantizationPlan

if TYPE_CHECKING:
    import keras

    from edgekit.data import Data

__all__ = [
    "Applied",
    "CompressionResult",
    "Context",
    "Cost",
    "LayerChange",
    "LayerOnCore",
    "OnCore",
    "QuantizationPlan",
    "Recipe",
    "StepResult",
    "Technique",
    "compress",
    "load_recipe",
    "recipe_from_tables",
    "recipe_names",
    "recipe_to_toml",
    "setting",
    "technique_class",
    "technique_names",
]


def compress(
    model: keras.Model,
    recipe: Recipe,
    data: Data,
    *,
    metric: str | None = None,
    plan: QuantizationPlan = QuantizationPlan(),
    progress: Progress = silent,
    resume: Path | None = None,
) -> CompressionResult:
    """Apply a recipe to a model.

    Args:
        model: a built Keras 3 model; never changed.
        recipe: techniques, applied left to right.
        data: samples for fine-tuning, of which only the training part is used; the test part for the metric.
        metric: of the reports; None chooses one by the model's shape.
        plan: what is known of the model's quantization before the first step.
        progress: told the step, batch by batch.
        resume: folder in which finished steps and the state of a training are kept; called again after a kill, with
            the same model, recipe and data, it goes on from there, and ends with the same weights. None keeps nothing.

    Returns:
        An ordinary Keras model (not compiled, no custom objects but the model's own), its quantization plan, and what
        each step did and cost. With an empty recipe, the model that came in.

    Raises:
        UsageError: a setting does not fit the model, or the data does not.
        ModelError: the model cannot be compressed, or fine-tuning diverged.
        UntrustworthyError: a technique did not hold what it promises.

    Example:
        >>> import keras, numpy
        >>> from edgekit.data import Data
        >>> net = keras.Sequential([keras.Input((4,)), keras.layers.Dense(3, activation="softmax")])
        >>> samples = Data(numpy.ones((8, 4), numpy.float32), numpy.zeros(8, numpy.int32))
        >>> recipe = recipe_from_tables("mine", [{"technique": "prune", "sparsity": 0.5, "epochs": 1}])
        >>> [step.technique for step in compress(net, recipe, samples).steps]
        ['prune']
    """
    from edgekit.compress.frame.chain import run

    return run(model, recipe, data, metric=metric, plan=plan, progress=progress, resume=resume)
