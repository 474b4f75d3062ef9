"""Structured pruning: every kind of joint, against the original with the same channels zeroed."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
from keras import layers

from edgekit.compress.channels.groups import Graph
from edgekit.compress.channels.importance import costs, magnitudes, taylor
from edgekit.compress.channels.rebuild import rebuild, verify, zeroed
from edgekit.compress.channels.selection import Limits, drop, widths
from edgekit.compress.frame import cost
from edgekit.compress.frame.step import Context
from edgekit.compress.layers.recalibrate import recalibrate
from edgekit.compress.prune_channels import PruneChannels
from edgekit.data import Data
from edgekit.errors import ModelError, UnknownNameError, UntrustworthyError, UsageError

IMAGE = (8, 8, 3)


def _end(x: Any) -> Any:
    if len(x.shape) > 2:
        x = layers.Flatten()(x)
    return layers.Dense(3)(x)


def _stem(inputs: Any, filters: int = 8) -> Any:
    x = layers.Conv2D(filters, 3, padding="same", name="stem")(inputs)
    return layers.ReLU()(layers.BatchNormalization()(x))


def _residual(x: Any) -> Any:
    x = _stem(x)
    return layers.Add()([x, layers.Conv2D(8, 3, padding="same", activation="relu")(x)])


def _residual_of_operators(x: Any) -> Any:
    x = _stem(x)
    y = keras.ops.relu6(layers.Conv2D(8, 1)(x) * 0.5 + 3.0) / 6.0 + x
    y = y * keras.ops.mean(y, axis=(1, 2), keepdims=True)
    # An Add layer and the Add of `+` in one model.
    return layers.Add()([x, y - 1.0, keras.ops.maximum(x, y)])


def _concatenation(x: Any) -> Any:
    x = _stem(x)
    y = layers.Concatenate()([x, layers.Conv2D(4, 3, padding="same")(x), layers.MaxPooling2D(1)(x)])
    return layers.BatchNormalization()(layers.Add()([y, layers.Conv2D(20, 1)(x)]))


def _concatenation_of_rows(x: Any) -> Any:
    x = _stem(x)
    return layers.Concatenate(axis=1)([x, layers.Conv2D(8, 1)(x)])


def _depthwise(x: Any) -> Any:
    return layers.PReLU(shared_axes=[1, 2])(layers.DepthwiseConv2D(3, depth_multiplier=2)(_stem(x)))


def _grouped(x: Any) -> Any:
    x = layers.Conv2D(16, 3, groups=4, padding="same")(_stem(x))
    return layers.Conv2D(32, 3, groups=16)(x)


def _separable(x: Any) -> Any:
    x = layers.SeparableConv2D(8, 3, depth_multiplier=2, activation="silu")(_stem(x))
    return layers.Conv2DTranspose(4, 2, strides=2)(x)


def _squeeze_and_excite(x: Any) -> Any:
    x = _stem(x)
    gate = layers.Reshape((1, 1, 8))(layers.GlobalAveragePooling2D()(x))
    gate = layers.Conv2D(8, 1, activation="sigmoid")(layers.Conv2D(4, 1, activation="relu")(gate))
    x = layers.Multiply()([x, gate])
    gate = layers.Dense(8, activation="sigmoid")(layers.GlobalMaxPooling2D(keepdims=True)(x))
    return layers.Multiply()([gate, x])


def _decoder(x: Any) -> Any:
    x = layers.Dense(64, activation="relu")(layers.Flatten()(_stem(x)))
    return layers.Conv2D(4, 1)(layers.UpSampling2D()(layers.Reshape((4, 4, 4))(x)))


def _nested(x: Any) -> Any:
    inputs = keras.Input((8, 8, 8))
    inner = keras.Model(inputs, layers.Add()([inputs, layers.Conv2D(8, 1, name="stem")(inputs)]))
    chain = keras.Sequential([keras.Input((8, 8, 8)), layers.Conv2D(12, 1), layers.BatchNormalization()])
    return chain(inner(inner(_stem(x))))


def _shared(x: Any) -> Any:
    shared = layers.Conv2D(8, 1)
    return shared(shared(_stem(x)))


def _sequence(x: Any) -> Any:
    x = layers.Reshape((64, 8))(_stem(x))
    x = layers.Permute((1, 2))(layers.Conv1D(8, 3, strides=8, padding="causal")(x))
    x = layers.GRU(8, return_sequences=True)(layers.LSTM(8, return_sequences=True)(x))
    x = layers.EinsumDense("abc,cd->abd", output_shape=(None, 8), bias_axes="d")(x)
    return layers.RepeatVector(2)(layers.SimpleRNN(8)(x))


def _frozen(x: Any) -> Any:
    x = layers.LayerNormalization()(_stem(x))
    x = layers.Softmax()(layers.Conv2D(8, 1)(x))
    y = layers.Conv2D(8, 1, activation="softmax")(x)
    x = layers.Multiply()([layers.Conv2D(8, 1)(y), layers.Conv2D(1, 1)(y)])
    return layers.Permute((3, 1, 2))(layers.Conv2D(8, 1)(x))


JOINTS: list[Callable[[Any], Any]] = [
    _residual,
    _residual_of_operators,
    _concatenation,
    _concatenation_of_rows,
    _depthwise,
    _grouped,
    _separable,
    _squeeze_and_excite,
    _decoder,
    _nested,
    _shared,
    _sequence,
    _frozen,
]


def _model(joint: Callable[[Any], Any]) -> keras.Model:
    """Every weight random, biases and statistics too: a zero would hide what is forgotten."""
    inputs = keras.Input(IMAGE)
    model = keras.Model(inputs, _end(joint(inputs)))
    rng = np.random.default_rng(0)
    for variable in model.weights:
        fan_in = max(int(np.prod(variable.shape[:-1])), 1)
        is_kernel = len(variable.shape) > 1
        variable.assign(
            rng.normal(0, fan_in**-0.5, variable.shape) if is_kernel else rng.uniform(0.5, 1.5, variable.shape)
        )
    return model


def _samples(count: int = 2) -> Any:
    return np.random.default_rng(1).normal(size=(count, *IMAGE)).astype(np.float32)


def _drop_half(graph: Graph) -> set[int]:
    groups = widths(graph, magnitudes(graph, "l2"))
    return drop(groups, {width.layers: len(width.roots) / 2 for width in groups}, Limits(multiple_of=1, minimum=1))


@pytest.mark.parametrize("joint", JOINTS, ids=lambda joint: joint.__name__.strip("_"))
def test_the_pruned_model_computes_what_the_zeroed_one_does(joint: Callable[[Any], Any]) -> None:
    model = _model(joint)
    graph = Graph(model)
    dropped = _drop_half(graph)
    pruned = rebuild(model, graph, dropped)
    assert dropped
    assert pruned.count_params() < model.count_params()
    assert [layer.name for layer in pruned.layers] == [layer.name for layer in model.layers]
    assert [type(layer) for layer in pruned.layers] == [type(layer) for layer in model.layers]
    (expected,) = zeroed(model, graph, dropped, _samples())
    got = np.asarray(pruned(_samples()))
    assert np.abs(expected - np.asarray(model(_samples()))).max() > 0.01, "nothing was zeroed"
    assert np.abs(got - expected).max() <= 1e-5 * np.abs(expected).max()


def test_a_model_of_other_weights_is_not_trusted() -> None:
    model = _model(_residual)
    graph = Graph(model)
    dropped = _drop_half(graph)
    pruned = rebuild(model, graph, dropped)
    verify(model, pruned, graph, dropped, _samples())
    pruned.get_layer("stem").bias.assign(pruned.get_layer("stem").bias[::-1])
    with pytest.raises(UntrustworthyError, match="differs from the original"):
        verify(model, pruned, graph, dropped, _samples())


def test_zeroing_by_the_weights_alone_gives_the_same() -> None:
    """The oracle by hand, without the graph: kernel columns, biases, gamma and beta of the channels that are gone."""
    model = _model(_residual)
    pruned = PruneChannels(epochs=0, recalibrate=False).apply(model, Data(_samples())).model
    for before, after in zip(model.layers, pruned.layers, strict=True):
        values = {variable.name: np.asarray(variable) for variable in after.weights}
        mark = "gamma" if "gamma" in values else "bias"
        for variable in before.weights:
            if variable.name in ("kernel", "bias", "gamma", "beta"):
                stays = np.isin(np.asarray(getattr(before, mark)), values[mark])
                variable.assign(np.asarray(variable) * stays)
    expected = np.asarray(model(_samples()))
    assert np.abs(np.asarray(pruned(_samples())) - expected).max() <= 1e-5 * np.abs(expected).max()


def test_what_cannot_shrink_says_why() -> None:
    model = _model(_frozen)
    step = PruneChannels(epochs=0).apply(model, Data(_samples())).step
    reasons = " ".join(reason for _, reason in step.skipped)
    for part in ("LayerNormalization", "softmax", "may look at several", "spread over all", "model's output"):
        assert part in reasons
    assert "to another axis" in reasons


@keras.saving.register_keras_serializable("test_prune_channels")
class _Own(layers.Layer):
    def call(self, x: Any) -> Any:
        return x[..., ::-1]


def test_a_custom_layer_keeps_its_channels() -> None:
    inputs = keras.Input((6,))
    x = _Own(name="own")(layers.Dense(8, name="before")(inputs))
    model = keras.Model(inputs, layers.Dense(2)(layers.Dense(8, name="after")(x)))
    applied = PruneChannels(epochs=0).apply(model, Data(np.ones((4, 6), np.float32)))
    assert [(change.name, change.before, change.after) for change in applied.step.layers] == [("after", 8, 4)]
    assert dict(applied.step.skipped)["before"] == "own is a layer of the user's own (_Own)"


def test_subclassed_model_is_refused() -> None:
    class Own(keras.Model):  # type: ignore[misc]
        def __init__(self) -> None:
            super().__init__()
            self.dense = layers.Dense(2)

        def call(self, x: Any) -> Any:
            return self.dense(x)

    model = Own()
    model(np.ones((1, 3), np.float32))
    with pytest.raises(ModelError, match="subclassed"):
        PruneChannels(epochs=0).apply(model, Data(np.ones((4, 3), np.float32)))


def test_nothing_to_prune_is_refused() -> None:
    model = keras.Sequential([keras.Input((4,)), layers.Dense(2)])
    with pytest.raises(ModelError, match="no channel"):
        PruneChannels(epochs=0).apply(model, Data(np.ones((4, 4), np.float32)))


def test_left_out_layers_stay_and_unknown_ones_are_refused() -> None:
    model = _model(_nested)
    step = PruneChannels(epochs=0, leave_out=("stem",)).apply(model, Data(_samples())).step
    assert "stem" not in {change.name for change in step.layers}
    assert dict(step.skipped)["stem"] == "left out"
    with pytest.raises(UnknownNameError, match="stam"):
        PruneChannels(leave_out=("stam",)).apply(model, Data(_samples()))


def test_a_ratio_out_of_range_is_refused() -> None:
    for ratio in (-0.1, 1.0, float("nan")):
        with pytest.raises(UsageError, match="ratio"):
            PruneChannels(ratio=ratio)


def _plain() -> keras.Model:
    keras.utils.set_random_seed(0)
    return keras.Sequential(
        [
            keras.Input((8, 8, 1)),
            layers.Conv2D(32, 3, padding="same", use_bias=False, name="first"),
            layers.BatchNormalization(),
            layers.ReLU(),
            layers.Conv2D(16, 3, strides=2, activation="relu", name="second"),
            layers.Flatten(),
            layers.Dense(24, activation="relu", name="third"),
            layers.Dense(4, activation="softmax"),
        ]
    )


def _plain_data(count: int = 96) -> Data:
    rng = np.random.default_rng(0)
    y = rng.integers(0, 4, count)
    x = rng.normal(0, 0.3, (count, 8, 8, 1)).astype(np.float32)
    for index, label in enumerate(y):
        x[index, (label // 2) * 4 : (label // 2) * 4 + 4, (label % 2) * 4 : (label % 2) * 4 + 4] += 1
    return Data(x, y)


def _widths(model: keras.Model) -> list[int]:
    return [model.get_layer("first").filters, model.get_layer("second").filters, model.get_layer("third").units]


def test_a_uniform_ratio_cuts_every_width_alike() -> None:
    assert _widths(PruneChannels(ratio=0.5, epochs=0).apply(_plain(), _plain_data()).model) == [16, 8, 12]
    assert _widths(PruneChannels(ratio=0.99, epochs=0, minimum=8).apply(_plain(), _plain_data()).model) == [8, 8, 8]
    assert _widths(PruneChannels(ratio=0.3, epochs=0, multiple_of=1).apply(_plain(), _plain_data()).model) == [
        22,
        11,
        17,
    ]


def test_rounds_end_where_one_round_does() -> None:
    rounds = PruneChannels(ratio=0.75, iterations=3, epochs=1, multiple_of=1).apply(_plain(), _plain_data())
    assert _widths(rounds.model) == [8, 4, 6]


@pytest.mark.parametrize("importance", ["l1", "l2", "batch_norm_scale", "taylor"])
def test_every_importance_finds_the_channels_that_do_nothing(importance: str) -> None:
    model = _plain()
    dead = np.arange(32) % 2 == 0
    for variable in model.get_layer("first").weights + model.layers[1].weights[:2]:
        variable.assign(np.asarray(variable) * ~dead)
    kernel = model.get_layer("second").kernel
    kernel.assign(np.asarray(kernel) * ~dead[:, None])
    step = PruneChannels(epochs=0, recalibrate=False, importance=importance, leave_out=("second", "third"))
    applied = step.apply(model, _plain_data())
    assert _widths(applied.model) == [16, 16, 24]
    x = _plain_data().x_train
    np.testing.assert_allclose(np.asarray(applied.model(x)), np.asarray(model(x)), atol=1e-5)


def test_taylor_is_the_change_of_the_loss() -> None:
    """A small gate on one channel moves the loss as the score says."""
    model = _plain()
    graph = Graph(model)
    data = _plain_data(32)
    loss = keras.losses.SparseCategoricalCrossentropy()
    scores = taylor(model, graph, data.x_train, data.y_train, loss, batch_size=32)
    channel = 5
    root = graph.channels.roots(graph.parts["second"].cut.output)[channel]
    kernel = model.get_layer("third").kernel
    values = np.asarray(kernel).copy()

    def loss_at(gate: float) -> float:
        gated = values.reshape(3, 3, 16, 24).copy()
        gated[:, :, channel] *= gate
        kernel.assign(gated.reshape(values.shape))
        return float(loss(data.y_train, model(data.x_train)))

    slope = (loss_at(1.01) - loss_at(0.99)) / 0.02
    assert scores[root] == pytest.approx(abs(slope), rel=0.02)


def test_taylor_without_labels_is_refused() -> None:
    with pytest.raises(UsageError, match="taylor"):
        PruneChannels(importance="taylor").apply(_plain(), Data(_plain_data().x_train))


def test_costs_are_what_goes_with_a_group() -> None:
    model = _plain()
    graph = Graph(model)
    groups = widths(graph, magnitudes(graph, "l2"))
    parameters, macs = costs(graph, "parameters"), costs(graph, "macs")
    for width in groups:
        one = {int(width.roots[0])}
        smaller = rebuild(model, graph, one)
        assert model.count_params() - smaller.count_params() == parameters[width.roots[0]]
        assert cost.macs(model) - cost.macs(smaller) == macs[width.roots[0]]


def test_budgets_are_met_and_not_overdone() -> None:
    model = _plain()
    for setting, measure in (("max_parameters", cost.parameters), ("max_macs", cost.macs)):
        budget = measure(model) // 2
        technique = dataclasses.replace(PruneChannels(epochs=0, multiple_of=1, minimum=1), **{setting: budget})
        reached = measure(technique.apply(model, _plain_data()).model)
        assert 0.9 * budget <= reached <= budget


def test_a_model_within_its_budget_comes_back_as_it_is() -> None:
    model, data = _plain(), _plain_data()
    applied = PruneChannels(max_parameters=model.count_params()).apply(model, data)
    assert "within its budget" in applied.step.summary
    assert all(np.array_equal(a, b) for a, b in zip(model.get_weights(), applied.model.get_weights(), strict=True))
    assert applied.model is not model


def test_ram_and_flash_budgets_are_met() -> None:
    model, data = _plain(), _plain_data()
    before = cost.cost(model, data)
    technique = PruneChannels(
        epochs=0, max_ram_bytes=before.arena_bytes * 2 // 3, max_flash_bytes=before.int8_bytes * 2 // 3
    )
    after = cost.cost(technique.apply(model, data).model, data)
    assert after.arena_bytes <= technique.max_ram_bytes
    assert after.int8_bytes <= technique.max_flash_bytes


def test_a_budget_out_of_reach_names_the_nearest() -> None:
    model, data = _plain(), _plain_data()
    with pytest.raises(UsageError, match="least in reach is") as refused:
        PruneChannels(max_parameters=100, iterations=2).apply(model, data)
    nearest = int(str(refused.value).split("reach is ")[1].replace(",", ""))
    assert PruneChannels(max_parameters=nearest, epochs=0).apply(model, data).model.count_params() == nearest


def test_the_model_that_came_in_stays_as_it_was() -> None:
    model, data = _plain(), _plain_data()
    weights = [value.copy() for value in model.get_weights()]
    seen: list[str] = []
    applied = PruneChannels(epochs=6, learning_rate=0.01, batch_size=16).apply(
        model, data, Context(progress=lambda what, done=0, total=None: seen.append(what))
    )
    assert all(np.array_equal(old, new) for old, new in zip(weights, model.get_weights(), strict=True))
    assert not applied.model.compiled
    assert type(applied.model) is keras.Sequential
    assert seen
    accuracy = np.mean(np.asarray(applied.model(data.x_train)).argmax(axis=-1) == data.y_train)
    assert accuracy > 0.9


class _KilledError(Exception):
    pass


def test_a_killed_run_goes_on_to_the_same_weights(tmp_path: Path) -> None:
    technique = PruneChannels(epochs=2, iterations=2)
    unbroken = technique.apply(_plain(), _plain_data()).model

    def kill_in_the_second_round(what: str, done: int = 0, total: int | None = None) -> None:
        if "2 of 2" in what and done == 4:
            raise _KilledError

    with pytest.raises(_KilledError):
        technique.apply(_plain(), _plain_data(), Context(progress=kill_in_the_second_round, checkpoint=tmp_path))
    resumed = technique.apply(_plain(), _plain_data(), Context(checkpoint=tmp_path)).model
    assert all(np.array_equal(a, b) for a, b in zip(unbroken.get_weights(), resumed.get_weights(), strict=True))


def test_recalibration_gives_the_statistics_of_the_data() -> None:
    model = keras.Sequential(
        [keras.Input((4,)), layers.Dropout(0.5), layers.Dense(6), layers.BatchNormalization(momentum=0.9)]
    )
    frozen = layers.BatchNormalization(trainable=False)
    model.add(frozen)
    x = np.random.default_rng(0).normal(2, 3, (256, 4)).astype(np.float32)
    recalibrate(model, x, batch_size=64)
    hidden, norm = np.asarray(model.layers[1](x)), model.layers[2]
    np.testing.assert_allclose(np.asarray(norm.moving_mean), hidden.mean(axis=0), atol=1e-4)
    np.testing.assert_allclose(np.asarray(norm.moving_variance), hidden.var(axis=0), rtol=0.1)
    assert norm.momentum == 0.9
    assert np.array_equal(np.asarray(frozen.moving_mean), np.zeros(6))
