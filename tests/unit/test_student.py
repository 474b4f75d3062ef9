"""Students made from a model: which blocks repeat, what is left of them, and which channels stay."""

from __future__ import annotations

from types import ModuleType
from typing import Any

import numpy as np
import pytest

from edgekit.errors import ModelError

pytestmark = pytest.mark.slow


def _transformer(keras: ModuleType, blocks: int = 4) -> Any:
    """A pre-LN transformer on ids, with a learned bias for each place."""
    layers = keras.layers
    ids = keras.Input((6,), name="ids")
    x = layers.Embedding(11, 4, name="words")(ids)
    x = layers.EinsumDense("btc,cd->btd", (6, 16), bias_axes="td", name="places")(x)
    for block in range(blocks):
        normalized = layers.LayerNormalization(name=f"norm_{block}")(x)
        x = layers.Add(name=f"attended_{block}")(
            [x, layers.MultiHeadAttention(2, 8, name=f"attention_{block}")(normalized, normalized)]
        )
        hidden = layers.Dense(32, activation="relu", name=f"up_{block}")(layers.LayerNormalization()(x))
        x = layers.Add(name=f"block_{block}")([x, layers.Dense(16, name=f"down_{block}")(hidden)])
    return keras.Model(ids, layers.Dense(3, activation="softmax", name="classes")(layers.GlobalAveragePooling1D()(x)))


def _residual(keras: ModuleType) -> Any:
    """Two resolutions, five residual blocks whose additions are operators, not layers."""
    layers = keras.layers
    image = keras.Input((8, 8, 3))
    x = layers.Conv2D(8, 3, padding="same", name="stem")(image)
    for block in range(5):
        y = layers.Conv2D(8, 3, padding="same", use_bias=False, name=f"conv_{block}")(x)
        x = keras.ops.relu(x + layers.BatchNormalization(name=f"norm_{block}")(y))
        if block == 2:
            x = layers.Conv2D(8, 3, strides=2, padding="same", name="down")(x)
    return keras.Model(image, layers.Dense(3, name="classes")(layers.GlobalAveragePooling2D()(x)))


def _stack(keras: ModuleType) -> Any:
    """A plain stack: the same three layers, four times."""
    layers = keras.layers
    repeated = [
        layer
        for _ in range(4)
        for layer in (layers.DepthwiseConv1D(3, padding="same"), layers.Conv1D(8, 1), layers.ReLU())
    ]
    return keras.Sequential([layers.Input((10, 8)), *repeated, layers.Flatten(), layers.Dense(2)])


def _randomize(model: Any) -> None:
    """Give every weight a value, biases too."""
    rng = np.random.default_rng(0)
    model.set_weights([rng.uniform(0.1, 0.5, weight.shape).astype(np.float32) for weight in model.get_weights()])


def test_transformer_blocks_are_found(keras: ModuleType) -> None:
    from edgekit.compress.students.student import half_layers, repeated_blocks

    model = _transformer(keras)
    (run,) = repeated_blocks(model)
    assert [block.end for block in run] == [f"block_{block}" for block in range(4)]
    assert all(len(block.layers) == 7 for block in run)
    student = half_layers(model)
    # A block that stays stands for the one behind it too.
    assert student.pairs == (("block_1", "block_0"), ("block_3", "block_2"))
    names = {layer.name for layer in student.model.layers}
    assert {"attention_0", "attention_2"} <= names and not {"attention_1", "attention_3"} & names


def test_half_of_a_transformer_is_the_whole_with_silent_blocks(keras: ModuleType) -> None:
    """A residual block that adds nothing is the same as none."""
    from edgekit.compress.students.student import half_layers

    keras.utils.set_random_seed(0)
    model = _transformer(keras)
    student = half_layers(model).model
    ids = np.random.default_rng(1).integers(0, 11, (8, 6)).astype(np.float32)
    assert np.abs(np.asarray(model(ids)) - np.asarray(student(ids))).max() > 1e-3
    for block in (1, 3):
        for layer in (model.get_layer(f"attention_{block}").output_dense, model.get_layer(f"down_{block}")):
            layer.set_weights([np.zeros_like(weight) for weight in layer.get_weights()])
    np.testing.assert_allclose(np.asarray(model(ids)), np.asarray(student(ids)), atol=1e-6)


def test_residual_blocks_of_each_resolution_are_halved(keras: ModuleType) -> None:
    from edgekit.compress.students.student import half_layers, repeated_blocks

    model = _residual(keras)
    assert [len(run) for run in repeated_blocks(model)] == [3, 2]
    student = half_layers(model)
    kept = [layer.name for layer in student.model.layers if layer.name.startswith("conv_")]
    assert kept == ["conv_0", "conv_2", "conv_3"]
    assert student.model.output_shape == model.output_shape
    for name in kept:
        assert np.array_equal(student.model.get_layer(name).kernel, model.get_layer(name).kernel)


def test_a_plain_stack_is_halved_by_its_period(keras: ModuleType) -> None:
    from edgekit.compress.students.student import half_layers

    model = _stack(keras)
    before = model.get_config()
    student = half_layers(model).model
    assert isinstance(student, keras.Sequential)
    assert [type(layer).__name__ for layer in student.layers] == [
        *["DepthwiseConv1D", "Conv1D", "ReLU"] * 2,
        "Flatten",
        "Dense",
    ]
    assert model.get_config() == before


def test_layers_of_different_shapes_are_no_repetition(keras: ModuleType) -> None:
    from edgekit.compress.students.student import half_layers

    dense = keras.layers.Dense
    model = keras.Sequential([keras.Input((8,)), dense(16, activation="relu"), dense(8, activation="relu"), dense(2)])
    with pytest.raises(ModelError, match="repeats no block"):
        half_layers(model)


def test_a_shared_layer_is_not_dropped(keras: ModuleType) -> None:
    from edgekit.compress.students.student import repeated_blocks

    inputs = keras.Input((8,))
    shared = keras.layers.Dense(8, name="shared")
    assert repeated_blocks(keras.Model(inputs, keras.layers.Dense(2)(shared(shared(inputs))))) == []


def test_narrower_keeps_the_channels_that_matter(keras: ModuleType) -> None:
    """With half of the channels silent, the narrower model computes what the wide one computes."""
    from edgekit.compress.students.narrower import narrower

    model = _residual(keras)
    _randomize(model)
    silent = [1, 2, 5, 7]
    for layer in model.layers:
        if layer.name in ("stem", "down") or layer.name.startswith("conv_"):
            weights = layer.get_weights()
            for weight in weights:
                weight[..., silent] = 0
            layer.set_weights(weights)
        if layer.name.startswith("norm_"):
            gamma, beta, mean, variance = layer.get_weights()
            beta[silent] = mean[silent] = 0
            layer.set_weights([gamma, beta, mean, variance])
    student = narrower(model, 0.5).model
    assert student.get_layer("stem").filters == 4 and student.get_layer("conv_0").filters == 4
    image = np.random.default_rng(2).normal(size=(4, 8, 8, 3)).astype(np.float32)
    np.testing.assert_allclose(np.asarray(student(image)), np.asarray(model(image)), rtol=1e-4)


def test_a_narrower_transformer_is_cut_from_the_wide_one(keras: ModuleType) -> None:
    from edgekit.compress.students.narrower import narrower

    model = _transformer(keras)
    _randomize(model)
    before = model.get_weights()
    made = narrower(model, 0.5)
    student = made.model
    assert made.pairs[0] == ("block_0", "block_0") and len(made.pairs) == 4
    assert student.input_shape == model.input_shape and student.output_shape == model.output_shape
    attention = student.get_layer("attention_0")
    assert (attention.num_heads, attention.key_dim) == (2, 4)
    assert attention.query_dense.kernel.shape == (8, 2, 4)
    assert student.get_layer("places").kernel.shape == (4, 8) and student.get_layer("places").bias.shape == (6, 8)
    assert student.get_layer("up_0").units == 16
    for layer in student.layers:
        for wide, narrow in zip(model.get_layer(layer.name).get_weights(), layer.get_weights(), strict=True):
            assert np.isin(narrow, wide).all()
    assert all(np.array_equal(a, b) for a, b in zip(before, model.get_weights(), strict=True))


def test_nothing_to_cut_is_told(keras: ModuleType) -> None:
    from edgekit.compress.students.narrower import narrower

    with pytest.raises(ModelError, match="no width"):
        narrower(keras.Sequential([keras.Input((8,)), keras.layers.Dense(2)]), 0.5)
