"""Folding a batch normalization changes no output, and touches nothing that it cannot fold."""

import keras
import numpy as np
import pytest

from edgekit.compress.layers.fold_batch_norm import fold, fold_batch_norm

L = keras.layers


def _randomized(model, seed=0):
    rng = np.random.default_rng(seed)
    for weight in model.weights:
        low = 0.5 if "variance" in weight.path or "gamma" in weight.path else -0.5
        weight.assign(rng.uniform(low, low + 1, weight.shape))
    return model


def _count(model):
    return sum(isinstance(layer, L.BatchNormalization) for layer in model._flatten_layers())


def _same(model, folded, seed=1):
    x = np.random.default_rng(seed).normal(size=(3, *model.input_shape[1:])).astype(np.float32)
    before, after = np.asarray(model(x, training=False)), np.asarray(folded(x, training=False))
    np.testing.assert_allclose(after, before, atol=2e-5 * np.abs(before).max())


@pytest.mark.parametrize("use_bias", [False, True])
@pytest.mark.parametrize(
    ("shape", "make"),
    [
        ((7,), lambda bias: L.Dense(5, use_bias=bias)),
        ((9, 3), lambda bias: L.Conv1D(4, 3, use_bias=bias)),
        ((8, 8, 4), lambda bias: L.Conv2D(6, 3, groups=2, padding="same", use_bias=bias)),
        ((4, 4, 4, 2), lambda bias: L.Conv3D(3, 2, use_bias=bias)),
        ((9, 3), lambda bias: L.DepthwiseConv1D(3, depth_multiplier=2, use_bias=bias)),
        ((8, 8, 3), lambda bias: L.DepthwiseConv2D(3, depth_multiplier=2, use_bias=bias)),
        ((9, 3), lambda bias: L.SeparableConv1D(5, 3, use_bias=bias)),
        ((8, 8, 3), lambda bias: L.SeparableConv2D(5, 3, use_bias=bias)),
        ((9, 3), lambda bias: L.Conv1DTranspose(5, 3, use_bias=bias)),
        ((5, 5, 3), lambda bias: L.Conv2DTranspose(4, 3, strides=2, use_bias=bias)),
    ],
)
def test_every_linear_layer_takes_it_in(shape, make, use_bias):
    model = _randomized(keras.Sequential([L.Input(shape), make(use_bias), L.BatchNormalization(), L.ReLU()]))
    folded = fold_batch_norm(model)
    assert (_count(model), _count(folded)) == (1, 0)
    _same(model, folded)


def test_a_residual_net_keeps_names_and_the_normalizations_that_cannot_go():
    inputs = L.Input((8, 8, 3), name="picture")
    x = L.BatchNormalization(name="first")(inputs)
    stem = L.Conv2D(4, 3, padding="same", name="stem")(x)
    x = L.ReLU()(L.BatchNormalization(scale=False)(stem))
    x = L.BatchNormalization(center=False, name="after_conv")(L.Conv2D(4, 1)(x))
    shared = L.Conv2D(4, 3, padding="same", name="shared")
    x = L.Add()([L.BatchNormalization(name="behind_shared")(shared(x)), shared(x)])
    x = L.BatchNormalization(name="behind_add")(x)
    outputs = L.BatchNormalization(name="last")(L.Dense(3, name="scores")(L.GlobalAveragePooling2D()(x)))
    model = _randomized(keras.Model(inputs, outputs))
    result = fold(model)
    assert set(dict(result.skipped)) == {"first", "behind_shared", "behind_add"}
    assert len(result.folded) == 3
    assert {"after_conv", "last"} < set(result.folded)
    assert [layer.name for layer in result.model.layers if layer.name in ("picture", "stem", "scores")] == [
        "picture",
        "stem",
        "scores",
    ]
    _same(model, result.model)


def test_a_sequential_model_from_a_file_is_folded_as_one_that_was_just_built(tmp_path):
    model = _randomized(keras.Sequential([L.Input((6,)), L.Dense(4), L.BatchNormalization(), L.Dense(2)]))
    model.save(tmp_path / "model.keras")
    loaded = keras.models.load_model(tmp_path / "model.keras")
    folded = fold_batch_norm(loaded)
    assert (_count(loaded), _count(folded)) == (1, 0)
    _same(loaded, folded)


def test_nested_models_are_folded_inside():
    block = keras.Sequential([L.Conv2D(4, 3, padding="same"), L.BatchNormalization(), L.ReLU()], name="block")
    inputs = L.Input((8, 8, 4))
    inner_in = L.Input((8, 8, 4))
    inner = keras.Model(inner_in, L.BatchNormalization()(L.DepthwiseConv2D(3)(block(inner_in))), name="inner")
    model = _randomized(keras.Model(inputs, inner(inputs)))
    folded = fold_batch_norm(model)
    assert (_count(model), _count(folded)) == (2, 0)
    _same(model, folded)


def test_what_is_read_elsewhere_or_normalized_along_another_axis_stays():
    inputs = L.Input((6, 4))
    x = L.Dense(4, name="read_twice")(inputs)
    x = L.Add()([L.BatchNormalization(name="one_reader")(x), x])
    x = L.BatchNormalization(axis=1, name="time")(L.Dense(4)(x))
    x = L.BatchNormalization(name="behind_relu")(L.Dense(4, activation="relu")(x))
    result = fold(_randomized(keras.Model(inputs, x)))
    assert set(dict(result.skipped)) == {"one_reader", "time", "behind_relu"}
    assert not result.folded


def test_the_model_that_came_in_is_unchanged_and_a_subclassed_one_gets_a_reason():
    class Own(keras.Model):
        def __init__(self, **kwargs):
            super().__init__(**kwargs)
            self.dense, self.normalization = L.Dense(3), L.BatchNormalization(name="hidden")

        def call(self, x, training=False):
            return self.normalization(self.dense(x), training=training)

    own = Own()
    own(np.zeros((1, 4), np.float32))
    keras.saving.register_keras_serializable("tests")(Own)
    result = fold(own)
    assert result.folded == ()
    assert "subclassed" in dict(result.skipped)["hidden"]

    model = _randomized(keras.Sequential([L.Input((4,)), L.Dense(3), L.BatchNormalization()]))
    before = [weight.copy() for weight in model.get_weights()]
    fold(model)
    assert all((now == then).all() for now, then in zip(model.get_weights(), before, strict=True))
    assert _count(model) == 1


def test_mobilenet_v2_loses_all_of_them():
    model = _randomized(keras.applications.MobileNetV2((32, 32, 3), alpha=0.35, weights=None, classes=4))
    for layer in model.layers:
        if isinstance(layer, L.BatchNormalization):
            layer.moving_variance.assign(np.full(layer.moving_variance.shape, 30.0))
    folded = fold_batch_norm(model)
    assert (_count(model), _count(folded)) == (52, 0)
    _same(model, folded)
