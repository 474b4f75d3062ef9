"""Removing layers and residual blocks."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
import pytest
from keras import layers

from edgekit.compress.channels.blocks import blocks
from edgekit.compress.frame import cost
from edgekit.compress.prune_layers import PruneLayers
from edgekit.data import Data
from edgekit.errors import ModelError, UnknownNameError, UsageError


def _block(x: Any, name: str, *, scale: float) -> Any:
    """A residual branch; at scale 0 it adds nothing."""
    y = layers.Conv2D(4, 3, padding="same", name=f"{name}_conv")(x)
    y = layers.BatchNormalization(name=f"{name}_norm", gamma_initializer=keras.initializers.Constant(scale))(y)
    return layers.Add(name=name)([x, y])


def _residual() -> keras.Model:
    keras.utils.set_random_seed(0)
    inputs = keras.Input((6, 6, 2), name="image")
    x = layers.Conv2D(4, 3, name="stem")(inputs)
    x = _block(x, "one", scale=1.0)
    x = _block(x, "nothing", scale=0.0)
    x = layers.ReLU()(x) + layers.Conv2D(4, 1, name="side")(x)
    wide = layers.Add(name="both_new")([layers.Conv2D(8, 1)(x), layers.Conv2D(8, 1)(x)])
    return keras.Model(inputs, layers.Dense(3)(layers.GlobalAveragePooling2D()(wide)), name="residual")


def _data(count: int = 8) -> Data:
    rng = np.random.default_rng(0)
    return Data(rng.normal(size=(count, 6, 6, 2)).astype(np.float32), rng.integers(0, 3, count))


def _names(model: keras.Model) -> set[str]:
    return {layer.name for layer in model.layers}


def test_the_block_that_does_nothing_goes_first_and_without_a_trace() -> None:
    model, data = _residual(), _data()
    weights = [value.copy() for value in model.get_weights()]
    applied = PruneLayers(epochs=0, leave_out=("nothing_conv",)).apply(model, data)
    assert [change.name for change in applied.step.layers] == ["nothing"]
    assert _names(model) - _names(applied.model) == {"nothing", "nothing_conv", "nothing_norm"}
    assert [tensor.name for tensor in applied.model.inputs] == ["image"]
    np.testing.assert_allclose(applied.model(data.x_train), model(data.x_train), atol=1e-6)
    assert all(np.array_equal(old, new) for old, new in zip(weights, model.get_weights(), strict=True))
    assert all(len(layer._inbound_nodes) == 1 for layer in model.layers)


def test_the_change_is_the_difference_in_parameters() -> None:
    model = _residual()
    applied = PruneLayers(number=2, epochs=0).apply(model, _data())
    assert applied.step.layers[0].before == model.count_params()
    assert applied.step.layers[-1].after == applied.model.count_params() < model.count_params()


def test_named_blocks_go() -> None:
    applied = PruneLayers(names=("one", "side"), epochs=0).apply(_residual(), _data())
    assert {"one", "one_conv", "side"}.isdisjoint(_names(applied.model))
    assert "nothing" in _names(applied.model)


def test_a_sum_of_two_new_branches_is_no_block() -> None:
    assert "both_new" not in {block.name for block in blocks(_residual())[0]}
    step = PruneLayers(epochs=0).apply(_residual(), _data()).step
    assert dict(step.skipped)["both_new"] == "neither of its inputs is computed from the other"
    with pytest.raises(UsageError, match="both_new is no block"):
        PruneLayers(names=("both_new",), epochs=0).apply(_residual(), _data())


def test_unknown_names_are_refused() -> None:
    with pytest.raises(UnknownNameError, match="onne"):
        PruneLayers(names=("onne",)).apply(_residual(), _data())
    with pytest.raises(UnknownNameError, match="sid"):
        PruneLayers(leave_out=("sid",)).apply(_residual(), _data())


def test_more_blocks_than_there_are_is_refused() -> None:
    with pytest.raises(UsageError, match="only 4 blocks"):
        PruneLayers(number=9, epochs=0).apply(_residual(), _data())


def test_a_budget_is_met_or_the_nearest_is_named() -> None:
    model = _residual()
    budget = cost.macs(model) - 1
    assert cost.macs(PruneLayers(max_macs=budget, epochs=0).apply(model, _data()).model) <= budget
    with pytest.raises(UsageError, match="least in reach is") as refused:
        PruneLayers(max_parameters=10, epochs=0).apply(model, _data())
    nearest = int(str(refused.value).split("reach is ")[1].replace(",", ""))
    assert PruneLayers(max_parameters=nearest, epochs=0).apply(model, _data()).model.count_params() == nearest


def test_a_layer_goes_with_its_normalization_and_activation() -> None:
    model = keras.Sequential(
        [
            keras.Input((8,)),
            layers.Dense(8, name="first"),
            layers.BatchNormalization(),
            layers.ReLU(),
            layers.Dense(4),
            layers.Dense(4, name="output"),
        ]
    )
    assert [block.name for block in blocks(model)[0]] == ["first"]
    data = Data(np.random.default_rng(0).normal(size=(70, 8)).astype(np.float32), np.zeros(70, np.int64))
    applied = PruneLayers(epochs=1).apply(model, data)
    assert type(applied.model) is keras.Sequential
    assert [type(layer).__name__ for layer in applied.model.layers] == ["Dense", "Dense"]
    assert not applied.model.compiled


def test_subclassed_model_is_refused() -> None:
    class Own(keras.Model):  # type: ignore[misc]
        def call(self, x: Any) -> Any:
            return x

    model = Own()
    model(np.ones((1, 3), np.float32))
    with pytest.raises(ModelError, match="subclassed"):
        PruneLayers(epochs=0).apply(model, Data(np.ones((4, 3), np.float32)))
