"""Recipes as chains: what each step cost, going on after a kill, and inputs that do not fit."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest

from edgekit.compress import Recipe, compress, recipe_from_tables
from edgekit.compress.prune import Prune
from edgekit.data import Data
from edgekit.errors import ModelError

pytestmark = pytest.mark.slow


class _KilledError(Exception):
    """What the power cut raises."""


@pytest.fixture(scope="module")
def data() -> Data:
    rng = np.random.default_rng(0)
    y = np.arange(96) % 3
    x = rng.normal(size=(96, 6, 6, 1)).astype(np.float32)
    x[:, 0, 0, 0] += y
    return Data(x, y, x, y)


@pytest.fixture
def model(keras: ModuleType) -> Any:
    """A CNN with dropout: its random state has to come back as well."""
    keras.utils.set_random_seed(3)
    layers = keras.layers
    return keras.Sequential(
        [
            layers.Input((6, 6, 1)),
            layers.Conv2D(4, 3, name="conv"),
            layers.BatchNormalization(name="norm"),
            layers.ReLU(name="relu"),
            layers.Flatten(name="flatten"),
            layers.Dropout(0.3, name="dropout"),
            layers.Dense(3, activation="softmax", name="classes"),
        ],
        name="tiny",
    )


_TWO_STEPS = Recipe("two", (Prune(sparsity=0.3, epochs=3), Prune(sparsity=0.6, epochs=3, from_teacher=0.5)))


def _killed_at(step: int) -> Callable[..., None]:
    """A progress that pulls the plug after so many training steps in all."""
    seen = 0

    def progress(what: str, done: int = 0, total: int | None = None) -> None:
        nonlocal seen
        seen += what.endswith("training")
        if seen > step:
            raise _KilledError

    return progress


@pytest.mark.parametrize("step", [0, 5, 8, 12, 17], ids=lambda step: f"killed after step {step}")
def test_a_killed_compression_goes_on_to_the_same_weights(step: int, model: Any, data: Data, tmp_path: Path) -> None:
    whole = compress(model, _TWO_STEPS, data)
    with pytest.raises(_KilledError):
        compress(model, _TWO_STEPS, data, resume=tmp_path, progress=_killed_at(step))
    steps: list[int] = []

    def count(what: str, done: int = 0, total: int | None = None) -> None:
        steps.append(done) if what.endswith("training") else None

    resumed = compress(model, _TWO_STEPS, data, resume=tmp_path, progress=count)
    assert len(steps) == 18 - step // 3 * 3, "whole epochs that were finished are not done again"
    assert all(
        np.array_equal(a, b) for a, b in zip(whole.model.get_weights(), resumed.model.get_weights(), strict=True)
    )
    assert whole.steps == resumed.steps


def test_what_was_kept_of_another_model_is_not_used(model: Any, data: Data, tmp_path: Path) -> None:
    compress(model, _TWO_STEPS, data, resume=tmp_path)
    other = replace(data, x_train=data.x_train + 1)
    fresh = compress(model, _TWO_STEPS, other)
    again = compress(model, _TWO_STEPS, other, resume=tmp_path)
    assert all(np.array_equal(a, b) for a, b in zip(fresh.model.get_weights(), again.model.get_weights(), strict=True))


def test_a_damaged_checkpoint_costs_time_and_nothing_else(model: Any, data: Data, tmp_path: Path) -> None:
    whole = compress(model, _TWO_STEPS, data)
    with pytest.raises(_KilledError):
        compress(model, _TWO_STEPS, data, resume=tmp_path, progress=_killed_at(6))
    (state,) = tmp_path.glob("step-1/*.npz")
    state.write_bytes(state.read_bytes()[:500])
    resumed = compress(model, _TWO_STEPS, data, resume=tmp_path)
    assert all(
        np.array_equal(a, b) for a, b in zip(whole.model.get_weights(), resumed.model.get_weights(), strict=True)
    )


def test_every_step_tells_what_the_model_cost(model: Any, data: Data) -> None:
    first, second = compress(model, _TWO_STEPS, data).steps
    assert first.before is not None and first.after is not None and second.before == first.after
    assert first.before.parameters == first.before.nonzero_parameters + 15, "biases, beta and means begin at zero"
    assert first.before.macs == 4 * 4 * 4 * 9 + 64 * 3
    assert first.before.int8_bytes is not None and 1000 < first.before.int8_bytes < 5000
    assert first.before.arena_bytes is not None and 36 <= first.before.arena_bytes <= 256
    assert first.after.metric is not None and 0 <= first.after.metric <= 1
    assert second.after is not None and second.after.nonzero_parameters < first.after.nonzero_parameters


def test_an_empty_recipe_gives_the_model_back(model: Any, data: Data) -> None:
    result = compress(model, Recipe("none", ()), data)
    assert result.model is model and result.steps == ()


def test_the_teacher_is_the_model_that_came_in(model: Any, data: Data, keras: ModuleType) -> None:
    """Trained on its outputs alone, a pruned copy with a fresh head comes back to what the model said."""
    recipe = Recipe("copy", (Prune(sparsity=0.0, epochs=1, from_teacher=1.0, learning_rate=1e-8),))
    result = compress(model, recipe, data)
    before, after = model.predict(data.x_train, verbose=0), result.model.predict(data.x_train, verbose=0)
    loss = -np.mean(np.sum(before * np.log(after), axis=-1))
    entropy = -np.mean(np.sum(before * np.log(before), axis=-1))
    # Statistics of batch normalization move; the outputs that the loss is made of hardly do.
    assert loss == pytest.approx(entropy, rel=0.2)


def test_the_macs_of_many_layers_are_counted(keras: ModuleType) -> None:
    from edgekit.compress.frame.cost import layer_macs, macs, parameters

    layers = keras.layers
    x = inputs = layers.Input((8, 8, 6))
    x = layers.Conv2D(12, 3, groups=3, padding="same", name="grouped")(x)
    x = layers.SeparableConv2D(8, 3, padding="same", name="separable")(x)
    x = layers.Conv2DTranspose(4, 2, strides=2, name="transposed")(x)
    x = layers.Reshape((16, 64), name="rows")(x)
    x = layers.Conv1D(16, 3, padding="same", name="one")(x)
    x = layers.MultiHeadAttention(2, 8, name="attention")(x, x)
    x = layers.EinsumDense("abc,cd->abd", output_shape=(None, 5), name="einsum")(x)
    x = layers.TimeDistributed(layers.Dense(7), name="each")(x)
    x = layers.LSTM(3, name="lstm")(x)
    model = keras.Model(inputs, x)
    assert layer_macs(model) == {
        "grouped": 64 * 12 * 9 * 2,
        "separable": 64 * 12 * 9 + 64 * 12 * 8,
        "transposed": 64 * 8 * 4 * 4,
        "one": 16 * 16 * 3 * 64,
        "attention": 4 * 16 * 16 * 16 + 2 * 2 * 16 * 16 * 8,
        "einsum": 16 * 16 * 5,
        "each": 16 * 5 * 7,
        "lstm": 16 * 4 * 3 * (7 + 3),
    }
    assert macs(model) == sum(layer_macs(model).values())
    assert parameters(model) == model.count_params()


def test_weights_that_are_shared_count_once(keras: ModuleType) -> None:
    from edgekit.compress.frame.cost import macs, parameters

    dense = keras.layers.Dense(4, use_bias=False)
    inputs = keras.layers.Input((4,))
    model = keras.Model(inputs, dense(dense(inputs)))
    assert parameters(model) == 16 and macs(model) == 32


def test_a_model_that_cannot_be_copied_is_told(keras: ModuleType, data: Data) -> None:
    layers = keras.layers
    model = keras.Sequential([layers.Input((6, 6, 1)), layers.Flatten(), layers.Lambda(lambda x: x), layers.Dense(3)])
    with pytest.raises(ModelError, match="cannot be copied"):
        compress(model, recipe_from_tables("r", [{"technique": "prune", "epochs": 0}]), data)
