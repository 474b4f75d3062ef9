"""Low rank: factors against NumPy's decomposition, layers against their products, choices against the settings."""

from __future__ import annotations

import itertools
from typing import Any

import keras
import numpy as np
import pytest

from edgekit.compress.factors.factors import spectrum, split, tucker
from edgekit.compress.frame.cost import cost, macs, parameters, to_int8
from edgekit.compress.low_rank import LowRank
from edgekit.data import Data
from edgekit.errors import ModelError, UnknownNameError, UsageError

pytestmark = pytest.mark.slow

_LAYERS = keras.layers


@pytest.fixture(autouse=True)
def _convert_here(monkeypatch: pytest.MonkeyPatch) -> None:
    """As within `edgekit compress`: TensorFlow is loaded already, a child would load it again."""
    monkeypatch.setenv("EDGEKIT_WORKER_FD", "0")


def _random(*shape: int) -> Any:
    return np.random.default_rng(sum(shape)).standard_normal(shape)


@pytest.mark.parametrize("shape", [(20, 50), (50, 20), (16, 16)])
def test_a_split_is_the_best_of_its_rank(shape: tuple[int, int]) -> None:
    """Eckart and Young: the squared error is the energy of the singular values that are left out."""
    matrix = _random(*shape)
    found = spectrum(matrix if shape[0] <= shape[1] else matrix.T)
    values = np.linalg.svd(matrix, compute_uv=False)
    assert found.energies[: min(shape)] == pytest.approx(values**2, rel=1e-9)
    for rank in (1, 7, min(shape)):
        left, right = split(matrix, found, rank)
        assert left.shape == (shape[0], rank) and right.shape == (rank, shape[1])
        assert np.sum((matrix - left @ right) ** 2) == pytest.approx(np.sum(values[rank:] ** 2), abs=1e-9)


def test_energy_chooses_the_lowest_rank_that_keeps_it() -> None:
    found = spectrum(np.diag([4.0, 2.0, 1.0, 0.0]))
    # 16, 4 and 1 of 21.
    assert [found.rank(energy) for energy in (0, 0.7, 0.77, 0.95, 0.96, 1)] == [1, 1, 2, 2, 3, 3]
    assert spectrum(np.zeros((3, 5))).rank(1.0) == 1


def test_tucker_is_exact_at_full_rank_and_better_than_its_start() -> None:
    kernel = _random(3, 3, 8, 12)

    def error(inputs: int, outputs: int) -> float:
        into, core, out = tucker(kernel, inputs, outputs)
        return float(np.sum((np.einsum("ir,hwrs,so->hwio", into, core, out) - kernel) ** 2))

    assert error(8, 12) == pytest.approx(0, abs=1e-9)
    errors = [error(rank, rank) for rank in (2, 4, 8)]
    assert errors == sorted(errors, reverse=True)
    into = spectrum(np.moveaxis(kernel, -2, 0).reshape(8, -1)).basis[:, :4]
    out = spectrum(kernel.reshape(-1, 12).T).basis[:, :4]
    start = np.einsum("hwio,ir,os->hwrs", kernel, into, out)
    assert error(4, 4) < np.sum(kernel**2) - np.sum(start**2)


def _low(rank: int, *shape: int) -> Any:
    """A kernel whose unfoldings have this rank at most."""
    places = _random(*shape[:-2], rank, rank) if len(shape) > 2 else np.eye(rank)
    return np.einsum("...rs,ir,so->...io", places, _random(shape[-2], rank), _random(rank, shape[-1])) / 10


def _filled(model: keras.Model, rank: int) -> keras.Model:
    """Give every kernel a low rank, and every other weight some value."""
    for weight in model.weights:
        shape = tuple(weight.shape)
        if weight.name == "kernel" and len(shape) > 1:
            weight.assign(_low(rank, *shape))
        else:
            weight.assign(np.abs(_random(*shape)) + 0.5)
    return model


def _net() -> keras.Model:
    """Every kind of layer that is factorized, in a functional model with a Sequential one in it."""
    inputs = keras.Input((16, 12, 8), name="picture")
    x = _LAYERS.Conv2D(16, 3, strides=2, padding="same", use_bias=False, name="strided")(inputs)
    x = _LAYERS.BatchNormalization(name="norm")(x)
    x = _LAYERS.ReLU(name="relu")(x)
    y = _LAYERS.Conv2D(16, 3, dilation_rate=2, padding="same", activation="tanh", name="dilated")(x)
    x = _LAYERS.Add(name="add")([x, y])
    x = _LAYERS.Conv2D(24, (3, 2), strides=(1, 2), name="valid")(x)
    x = _LAYERS.Conv2D(24, 1, strides=2, name="point")(x)
    x = _LAYERS.Reshape((6, 24), name="series")(x)
    x = _LAYERS.Conv1D(24, 5, padding="causal", name="causal")(x)
    x = _LAYERS.EinsumDense("abc,cd->abd", (None, 24), bias_axes="d", name="einsum")(x)
    x = _LAYERS.GlobalAveragePooling1D(name="mean")(x)
    inner = keras.Sequential([_LAYERS.Input((24,)), _LAYERS.Dense(20, activation="relu", name="nested")], name="inner")
    return keras.Model(inputs, _LAYERS.Dense(16, name="out")(inner(x)), name="net")


_FACTORIZED = ("strided", "dilated", "valid", "point", "causal", "einsum", "nested", "out")


def _data(model: keras.Model, samples: int = 24) -> Data:
    x = _random(samples, *model.input_shape[1:]).astype(np.float32)
    return Data(x, np.arange(samples) % model.output_shape[-1])


@pytest.fixture(scope="module")
def net() -> keras.Model:
    return _filled(_net(), 2)


@pytest.mark.parametrize("convolution", ["tucker", "spatial"])
def test_kernels_of_low_rank_lose_nothing(net: keras.Model, convolution: str) -> None:
    """Strides, padding, dilation, nesting and what reads a layer all survive; the weights are those that were told."""
    before = [weight.numpy().copy() for weight in net.weights]
    energy = 1 - 1e-9
    data = _data(net)
    applied = LowRank(energy=energy, epochs=0, convolution=convolution, max_arena_bytes=10**6).apply(net, data)
    changed = {change.name: change for change in applied.step.layers if change.quantity == "parameters"}
    assert tuple(changed) == _FACTORIZED
    told = sum(change.before - change.after for change in changed.values())
    assert parameters(applied.model) == parameters(net) - 3 * 16 - told
    expected = net.predict(data.x_train, verbose=0)
    assert np.abs(applied.model.predict(data.x_train, verbose=0) - expected).max() < 1e-4 * np.abs(expected).max()
    assert all(np.array_equal(was, weight.numpy()) for was, weight in zip(before, net.weights, strict=True))
    assert macs(applied.model) < macs(net)


def test_the_work_that_is_told_is_the_work_that_is_done(net: keras.Model) -> None:
    """The forms' own count, by which layers are judged, against the count of the traced graph."""
    from edgekit.compress.factors.low_rank_forms import forms_of
    from edgekit.compress.layers.replace_layers import graph_layers, replace_layers

    for layer in graph_layers(net):
        forms, _ = forms_of(layer, "cheaper")
        for form in forms:
            ranks = form.ranks_by_number(3)
            made = replace_layers(net, {layer: form.build(ranks)})
            weights, work = form.cost(ranks)
            assert parameters(net) - parameters(made) == form.weights - weights
            assert macs(net) - macs(made) == form.macs - work


def test_a_million_weights_become_two_hundred_thousand() -> None:
    model = keras.Sequential([_LAYERS.Input((1000,)), _LAYERS.Dense(1000, use_bias=False, name="wide")])
    applied = LowRank(rank=100, epochs=0).apply(model, Data(np.zeros((4, 1000), np.float32)))
    assert (parameters(model), parameters(applied.model)) == (1_000_000, 200_000)
    assert [layer.name for layer in applied.model.layers] == ["wide_in", "wide"]


def test_what_does_not_pay_stays(net: keras.Model) -> None:
    applied = LowRank(rank=20, epochs=0).apply(net, _data(net))
    assert not applied.step.layers
    assert [layer.name for layer in applied.model.layers] == [layer.name for layer in net.layers]
    reasons = dict(applied.step.skipped)
    assert reasons["out"] == "it would not pay: at rank 16, 576 weights instead of 320"


def test_budgets_are_met_and_nearly_used() -> None:
    model = keras.Sequential([_LAYERS.Input((64,)), _LAYERS.Dense(96, name="a"), _LAYERS.Dense(64, name="b")])
    model = _filled(model, 64)
    data = _data(model)
    measures = {"max_parameters": parameters, "max_macs": macs, "max_flash_bytes": lambda m: len(to_int8(m, data))}
    for name, measure in measures.items():
        budget = int(measure(model) * 0.6)
        made = LowRank(**{name: budget}, epochs=0).apply(model, data).model
        assert 0.95 * budget < measure(made) <= budget


def test_a_budget_out_of_reach_names_the_nearest(net: keras.Model) -> None:
    with pytest.raises(UsageError, match=r"max_parameters is 100, the nearest that can be reached is (\d+)") as caught:
        LowRank(max_parameters=100, epochs=0).apply(net, _data(net))
    nearest = int(caught.value.what.split()[-1])
    made = LowRank(max_parameters=nearest, epochs=0).apply(net, _data(net)).model
    assert parameters(made) == nearest
    with pytest.raises(UsageError, match="max_arena_bytes is 10"):
        LowRank(max_arena_bytes=10, epochs=0).apply(net, _data(net))


def test_factors_that_would_raise_the_ram_are_left_out() -> None:
    """A strided convolution reads a large picture: a wide activation between its factors is larger than its output."""
    inputs = keras.Input((16, 16, 16))
    x = _LAYERS.Conv2D(16, 3, strides=4, padding="same", name="strided")(inputs)
    x = _LAYERS.Conv2D(16, 3, padding="same", name="after")(x)
    model = _filled(keras.Model(inputs, _LAYERS.GlobalAveragePooling2D()(x)), 4)
    data = _data(model)
    tight = LowRank(rank=4, epochs=0, convolution="tucker").apply(model, data)
    assert {change.name for change in tight.step.layers} == {"after"}
    assert "would raise the RAM" in dict(tight.step.skipped)["strided"]
    loose = LowRank(rank=4, epochs=0, convolution="tucker", max_arena_bytes=10**6).apply(model, data)
    assert {change.name for change in loose.step.layers} == {"strided", "after"}
    before, kept, raised = (cost(made, data).arena_bytes or 0 for made in (model, tight.model, loose.model))
    assert kept <= before < raised


def test_layers_that_cannot_be_factorized_are_named() -> None:
    inputs = keras.Input((8, 8, 8))
    x = _LAYERS.Conv2D(8, 3, groups=2, name="grouped")(inputs)
    x = _LAYERS.DepthwiseConv2D(3, name="depthwise")(x)
    x = _LAYERS.TimeDistributed(_LAYERS.Dense(8, name="hidden"), name="each")(_LAYERS.Reshape((4, 32))(x))
    x = _LAYERS.Dense(8, name="named")(_LAYERS.Flatten()(x))
    x = _LAYERS.BatchNormalization(name="folded_away")(x)
    model = keras.Model(inputs, x)
    reasons = dict(
        LowRank(rank=1, epochs=0, leave_out=("named", "folded_away")).apply(model, _data(model)).step.skipped
    )
    assert reasons["grouped"].startswith("it has 2 groups")
    assert reasons["depthwise"] == "DepthwiseConv2D has no low-rank form"
    assert reasons["hidden"] == "it lies inside a layer that is no model"
    assert reasons["named"] == "it is in leave_out"
    with pytest.raises(UnknownNameError, match="nmaed"):
        LowRank(leave_out=("nmaed",)).apply(model, _data(model))


def test_a_layer_that_is_called_twice_becomes_a_chain_that_is_called_twice() -> None:
    one, other = keras.Input((8,), name="a"), keras.Input((8,), name="b")
    shared = _LAYERS.Dense(8, name="shared")
    model = _filled(keras.Model([one, other], _LAYERS.Add(name="sum")([shared(one), shared(other)])), 2)
    applied = LowRank(rank=2).apply(model, Data(np.zeros((4, 8), np.float32)))
    inputs = [_random(5, 8), _random(5, 8) + 1]
    assert applied.model.predict(inputs, verbose=0) == pytest.approx(model.predict(inputs, verbose=0), abs=1e-4)
    assert parameters(applied.model) == 2 * 16 + 8
    assert dict(applied.step.skipped)["fine-tuning"] == "the model has several inputs or outputs"


def test_fine_tuning_wins_back_what_the_rank_cost() -> None:
    keras.utils.set_random_seed(1)
    x = _random(256, 24).astype(np.float32)
    y = (x @ _random(24, 6)).argmax(axis=1)
    model = keras.Sequential([_LAYERS.Input((24,)), _LAYERS.Dense(48, activation="relu"), _LAYERS.Dense(6)])
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile(keras.optimizers.Adam(1e-2), loss)
    model.fit(x, y, epochs=10, verbose=0)
    losses = []
    for epochs in (0, 5):
        made = LowRank(rank=3, epochs=epochs, learning_rate=1e-2).apply(model, Data(x, y)).model
        losses.append(float(loss(y, made.predict(x, verbose=0))))
    assert losses[1] < 0.8 * losses[0]


def test_settings_that_exclude_each_other() -> None:
    for budget in ("max_parameters", "max_macs", "max_flash_bytes"):
        with pytest.raises(UsageError, match=f"rank is 4 and {budget} is 9"):
            LowRank(rank=4, **{budget: 9})
    for wrong in itertools.chain(({"energy": value} for value in (-0.1, 1.1)), [{"rank": -1}, {"convolution": "svd"}]):
        with pytest.raises(UsageError, match="low_rank"):
            LowRank(**wrong)


class _Doubled(_LAYERS.Layer):  # type: ignore[misc]  # Keras has no types
    """A custom layer that cannot be written down."""

    def __init__(self, something: object) -> None:
        super().__init__()
        self.something = something

    def call(self, x: Any) -> Any:
        return 2 * x


@keras.saving.register_keras_serializable("test_low_rank")
class _Subclassed(keras.Model):  # type: ignore[misc]  # Keras has no types
    """A model whose layers are hidden in its code."""

    def __init__(self, **settings: Any) -> None:
        super().__init__(**settings)
        self.wide = _LAYERS.Dense(8, name="wide")

    def call(self, x: Any) -> Any:
        return self.wide(x)


def test_models_that_cannot_be_factorized_end_in_words() -> None:
    data = Data(_random(4, 8).astype(np.float32))
    custom = keras.Sequential([_LAYERS.Input((8,)), _LAYERS.Dense(8), _Doubled(object())])
    with pytest.raises(ModelError, match="cannot be copied"):
        LowRank(rank=1).apply(custom, data)
    subclassed = _Subclassed()
    subclassed(data.x_train)
    step = LowRank(rank=1).apply(subclassed, data).step
    assert step.summary == "no layer factorized" and dict(step.skipped)["wide"] == "the model is subclassed"
    with pytest.raises(UsageError, match="the nearest that can be reached is 72"):
        LowRank(max_parameters=10).apply(subclassed, data)
    with pytest.raises(ModelError, match="the model is subclassed"):
        LowRank(max_macs=10).apply(subclassed, data)
