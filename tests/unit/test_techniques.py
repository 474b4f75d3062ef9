"""What holds for every technique: the model that came stays, a plain one comes back, bad input is told in words."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest

from edgekit.compress import Context, StepResult, compress, recipe_from_tables, technique_class, technique_names
from edgekit.data import Data
from edgekit.errors import DataError, EdgeKitError, ModelError, UnknownNameError, UsageError

pytestmark = pytest.mark.slow

_TRAINS = [
    name for name in technique_names() if any(f.name == "epochs" for f in dataclasses.fields(technique_class(name)))
]
_LEAVES_OUT = [
    name for name in technique_names() if any(f.name == "leave_out" for f in dataclasses.fields(technique_class(name)))
]


@pytest.fixture(scope="module")
def data() -> Data:
    rng = np.random.default_rng(0)
    y = np.arange(60) % 3
    x = rng.normal(size=(60, 8, 8, 4)).astype(np.float32)
    x[:, 0, 0, 0] += y
    return Data(x, y, x, y)


@pytest.fixture
def model(keras: ModuleType) -> Any:
    """A residual CNN in which every technique but tying finds something to do."""
    keras.utils.set_random_seed(5)
    layers = keras.layers
    x = inputs = layers.Input((8, 8, 4), name="image")
    x = layers.Conv2D(16, 3, padding="same", use_bias=False, name="stem")(x)
    x = layers.BatchNormalization(name="stem_norm")(x)
    x = skip = layers.ReLU(name="stem_relu")(x)
    for block in (1, 2):
        x = layers.Conv2D(16, 3, padding="same", activation="relu", name=f"conv_{block}")(x)
    x = layers.Add(name="join")([x, skip])
    x = layers.GlobalAveragePooling2D(name="mean")(x)
    x = layers.Dense(64, activation="relu", name="wide_1")(x)
    x = layers.Dense(64, activation="relu", name="wide_2")(x)
    outputs = layers.Dense(3, activation="softmax", name="classes")(x)
    return keras.Model(inputs, outputs, name="net")


def _table(name: str, epochs: int = 0) -> dict[str, Any]:
    return {"technique": name, **({"epochs": epochs} if name in _TRAINS else {})}


@pytest.mark.parametrize("name", technique_names())
def test_a_plain_model_comes_back_and_the_one_that_came_stays(
    name: str, model: Any, data: Data, keras: ModuleType, tmp_path: Path
) -> None:
    before, config = model.get_weights(), model.get_config()
    trainable = [variable.trainable for variable in model.variables]
    technique = recipe_from_tables("one", [_table(name, 1)]).steps[0]
    try:
        result = technique.apply(model, data, Context(teacher=model))
    except EdgeKitError as error:
        # Nothing to do is an answer, where it is one in words.
        assert error.what and error.hint
        result = None
    assert model.get_config() == config
    assert all(np.array_equal(a, b) for a, b in zip(before, model.get_weights(), strict=True))
    assert [variable.trainable for variable in model.variables] == trainable
    if result is None:
        return
    assert result.model is not model
    ours = {type(layer).__module__ for layer in result.model._flatten_layers() if "keras" not in type(layer).__module__}
    assert not ours, f"not plain Keras: {ours}"
    result.model.save(tmp_path / "result.keras")
    loaded = keras.models.load_model(tmp_path / "result.keras")
    assert np.allclose(loaded(data.x_train[:4]), result.model(data.x_train[:4]), atol=1e-6)
    step = result.step
    assert step.technique == name and step.summary
    assert StepResult.from_json(json.loads(json.dumps(dataclasses.asdict(step)))) == step


@pytest.mark.parametrize("name", technique_names())
def test_the_same_seed_gives_the_same_weights(name: str, model: Any, data: Data) -> None:
    technique = recipe_from_tables("one", [_table(name, 1)]).steps[0]
    try:
        runs = [technique.apply(model, data, Context(teacher=model)).model.get_weights() for _ in range(2)]
    except EdgeKitError as error:
        pytest.skip(f"nothing for {name} in this model: {error.what}")
    assert all(np.array_equal(a, b) for a, b in zip(*runs, strict=True))


@pytest.mark.parametrize("name", _LEAVES_OUT)
def test_a_layer_that_is_not_there_is_told(name: str, model: Any, data: Data) -> None:
    technique = recipe_from_tables("one", [{**_table(name), "leave_out": ["stm"]}]).steps[0]
    with pytest.raises(UnknownNameError, match="layer 'stm'"):
        technique.apply(model, data, Context(teacher=model))


@pytest.mark.parametrize("name", _TRAINS)
def test_training_that_diverges_is_told(name: str, model: Any, data: Data) -> None:
    """A loss that is no number ends the step; where a technique bounds every value, the weights stay numbers."""
    x = data.x_train.copy()
    x[7, 0, 0, 0] = np.inf
    technique = recipe_from_tables("one", [{**_table(name, 2), "learning_rate": 1.0}]).steps[0]
    try:
        result = technique.apply(model, dataclasses.replace(data, x_train=x), Context(teacher=model))
    except EdgeKitError as error:
        assert error.what and error.hint
    else:
        assert name in ("cluster", "quantization_aware")
        assert all(np.isfinite(weights).all() for weights in result.model.get_weights())


@pytest.mark.parametrize("name", _TRAINS)
@pytest.mark.parametrize("samples", [0, 1])
def test_too_little_data_is_told_or_is_enough(name: str, samples: int, model: Any, data: Data) -> None:
    assert data.y_train is not None
    few = Data(data.x_train[:samples], data.y_train[:samples], data.x_test, data.y_test)
    technique = recipe_from_tables("one", [_table(name, 1)]).steps[0]
    try:
        result = technique.apply(model, few, Context(teacher=model))
    except EdgeKitError as error:
        assert error.what and error.hint
    else:
        assert samples > 0
        assert all(np.isfinite(weights).all() for weights in result.model.get_weights())


@pytest.mark.parametrize("name", _TRAINS)
def test_samples_of_another_shape_are_told(name: str, model: Any, data: Data) -> None:
    technique = recipe_from_tables("one", [_table(name, 1)]).steps[0]
    with pytest.raises((DataError, UsageError, ModelError)):
        technique.apply(model, Data(data.x_train[:, :7], data.y_train), Context(teacher=model))


@pytest.mark.parametrize("name", technique_names())
def test_a_custom_layer_without_a_config_is_told(name: str, data: Data, keras: ModuleType) -> None:
    class Twice(keras.layers.Layer):  # type: ignore[misc]  # Keras has no types
        def __init__(self, factor: Any) -> None:
            super().__init__()
            self.factor = factor

        def call(self, x: Any) -> Any:
            return x * self.factor

    layers = keras.layers
    inputs = layers.Input((8, 8, 4))
    x = Twice(np.float32(2))(layers.Conv2D(8, 3, padding="same")(inputs))
    model = keras.Model(inputs, layers.Dense(3)(layers.Flatten()(x)))
    try:
        compress(model, recipe_from_tables("one", [_table(name)]), data)
    except EdgeKitError as error:
        assert error.what and error.hint


@pytest.mark.parametrize("name", technique_names())
def test_settings_out_of_their_range_are_told(name: str) -> None:
    for field in dataclasses.fields(technique_class(name)):
        if field.metadata["high"] is None and field.metadata["below"] is None:
            continue
        limit = field.metadata["high"] if field.metadata["high"] is not None else field.metadata["below"]
        with pytest.raises(UsageError, match=field.name):
            recipe_from_tables("one", [{"technique": name, field.name: limit + 1}])
