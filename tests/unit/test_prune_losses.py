"""Which loss fine-tuning derives from a model's output and its data."""

from __future__ import annotations

from types import ModuleType
from typing import Any

import numpy as np
import pytest

from edgekit.data import Data

pytestmark = pytest.mark.slow

_X = np.random.default_rng(0).normal(size=(32, 6)).astype(np.float32)
_CLASSES = np.arange(32) % 6


def _model(keras: ModuleType, units: int, activation: str | None) -> Any:
    return keras.Sequential([keras.layers.Input((6,)), keras.layers.Dense(units, activation=activation)])


@pytest.mark.parametrize(
    ("units", "activation", "y", "loss", "from_logits"),
    [
        pytest.param(6, "softmax", _CLASSES, "SparseCategoricalCrossentropy", False, id="classes"),
        pytest.param(8, None, _CLASSES, "SparseCategoricalCrossentropy", True, id="classes as logits"),
        pytest.param(8, None, _CLASSES[:, None], "SparseCategoricalCrossentropy", True, id="a column of labels"),
        pytest.param(1, "sigmoid", _CLASSES % 2, "BinaryCrossentropy", False, id="yes or no"),
        pytest.param(1, None, _CLASSES % 2, "BinaryCrossentropy", True, id="yes or no as logits"),
        pytest.param(
            6, "softmax", np.eye(6, dtype=np.float32)[_CLASSES], "CategoricalCrossentropy", None, id="one-hot"
        ),
        pytest.param(2, None, _X[:, :2], "MeanSquaredError", None, id="regression"),
        pytest.param(6, None, None, "MeanSquaredError", None, id="autoencoder"),
        pytest.param(6, None, _CLASSES, "MeanSquaredError", None, id="autoencoder with labels for its metric"),
    ],
)
def test_the_loss_follows_from_output_and_labels(
    keras: ModuleType, units: int, activation: str | None, y: Any, loss: str, from_logits: bool | None
) -> None:
    from edgekit.compress.frame import targets

    goal = targets.targets(_model(keras, units, activation), Data(_X, y), epochs=1)
    assert type(goal.loss).__name__ == loss and goal.reason is None
    assert from_logits is None or goal.loss.get_config()["from_logits"] is from_logits
    if loss == "MeanSquaredError" and units == 6:
        assert goal.y is _X


def test_a_compiled_loss_wins_where_the_labels_fit_it(keras: ModuleType) -> None:
    from edgekit.compress.frame import targets

    model = _model(keras, 2, None)
    model.compile(loss="mae")
    assert targets.targets(model, Data(_X, _X[:, :2]), epochs=1).loss == "mae"


def test_several_inputs_are_pruned_without_fine_tuning(keras: ModuleType) -> None:
    from edgekit.compress.prune import Prune

    inputs = [keras.layers.Input((3,)), keras.layers.Input((3,))]
    model = keras.Model(inputs, keras.layers.Dense(2)(keras.layers.Concatenate()(inputs)))
    step = Prune().apply(model, Data(_X)).step
    assert step.skipped == (("fine-tuning", "the model has several inputs or outputs"),)
    assert step.layers[0].after == 0.5
