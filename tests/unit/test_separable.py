"""Separable: the pair is the nearest to the convolution, costs what is told, and is trained on the old outputs."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest

from edgekit.compress.factors.separable_pairs import nearest
from edgekit.compress.frame.cost import macs, parameters
from edgekit.compress.frame.step import Context
from edgekit.compress.low_rank import LowRank
from edgekit.compress.separable import Separable
from edgekit.data import Data
from edgekit.errors import UnknownNameError, UsageError

pytestmark = pytest.mark.slow

_LAYERS = keras.layers


def _random(*shape: int) -> Any:
    return np.random.default_rng(sum(shape)).standard_normal(shape)


def _product(filters: Any, spread: Any) -> Any:
    """Return the kernel that a depthwise and a 1x1 kernel amount to."""
    inputs, multiplier = filters.shape[-2:]
    return np.einsum("hwim,imo->hwio", filters, spread.reshape(inputs, multiplier, -1))


@pytest.mark.parametrize("multiplier", [1, 2, 9, 11])
def test_the_pair_is_nearest_to_the_kernel(multiplier: int) -> None:
    """For each input channel the squared error is the energy of the singular values that are left out."""
    kernel = _random(3, 3, 5, 12)
    error = np.sum((_product(*nearest(kernel, multiplier)) - kernel) ** 2, axis=(0, 1, 3))
    for channel in range(5):
        values = np.linalg.svd(kernel[:, :, channel].reshape(9, 12), compute_uv=False)
        assert error[channel] == pytest.approx(np.sum(values[multiplier:] ** 2), abs=1e-9)


def _net() -> keras.Model:
    """Convolutions of every kind that is replaced, and of every kind that is not."""
    inputs = keras.Input((16, 16, 4), name="picture")
    x = _LAYERS.Conv2D(8, 3, padding="same", name="first")(inputs)
    y = _LAYERS.Conv2D(24, 3, strides=2, padding="same", use_bias=False, name="strided")(x)
    y = _LAYERS.ReLU(name="relu")(_LAYERS.BatchNormalization(name="norm")(y))
    y = _LAYERS.Conv2D(24, 3, dilation_rate=2, padding="valid", activation="relu", name="dilated")(y)
    y = _LAYERS.Conv2D(24, 1, name="point")(y)
    y = _LAYERS.Conv2D(24, 3, groups=4, padding="same", name="grouped")(y)
    y = _LAYERS.Conv2D(24, 3, strides=(1, 2), padding="same", name="uneven")(y)
    y = _LAYERS.Reshape((8, 24), name="series")(y)
    y = _LAYERS.Conv1D(24, 5, padding="causal", name="causal")(y)
    inner = keras.Sequential([_LAYERS.Input((8, 24)), _LAYERS.Conv1D(24, 5, padding="same", name="nested")], name="in")
    y = _LAYERS.GlobalAveragePooling1D(name="mean")(inner(y))
    model = keras.Model(inputs, _LAYERS.Dense(3, name="out")(y), name="net")
    for weight in model.weights:
        weight.assign(np.abs(_random(*weight.shape)) + 0.5 if len(weight.shape) == 1 else _random(*weight.shape) / 8)
    return model


def _data() -> Data:
    return Data(_random(12, 16, 16, 4).astype(np.float32), np.arange(12) % 3)


def test_what_is_told_is_what_it_costs() -> None:
    model = _net()
    before = [weight.numpy().copy() for weight in model.weights]
    applied = Separable(epochs=0).apply(model, _data())
    saved = {
        quantity: sum(change.before - change.after for change in applied.step.layers if change.quantity == quantity)
        for quantity in ("parameters", "macs")
    }
    assert list(dict.fromkeys(change.name for change in applied.step.layers)) == ["strided", "dilated", "nested"]
    assert parameters(applied.model) == parameters(model) - saved["parameters"]
    assert macs(applied.model) == macs(model) - saved["macs"]
    assert all(np.array_equal(was, weight.numpy()) for was, weight in zip(before, model.weights, strict=True))
    reasons = dict(applied.step.skipped)
    assert reasons["first"].startswith("it is the first")
    assert reasons["point"].startswith("its kernel has a single place")
    assert reasons["grouped"].startswith("it has 4 groups")
    assert reasons["uneven"].startswith("its strides (1, 2) differ")
    assert reasons["causal"].startswith("its padding is causal")
    assert reasons["training"] == "epochs is 0"


def test_as_many_filters_as_places_compute_the_same() -> None:
    """A kernel whose slices have rank 2 is what two filters for each channel can say: nothing else may change."""
    model = _net()
    for name in ("strided", "dilated"):
        kernel = model.get_layer(name).kernel
        kernel.assign(_product(_random(*kernel.shape[:3], 2), _random(2 * kernel.shape[2], kernel.shape[3])) / 30)
    model.get_layer("in").get_layer("nested").kernel.assign(np.ones((5, 24, 24)) / 99)
    applied = Separable(multiplier=2, epochs=0).apply(model, _data())
    assert len({change.name for change in applied.step.layers}) == 3
    expected = model.predict(_data().x_train, verbose=0)
    assert np.abs(applied.model.predict(_data().x_train, verbose=0) - expected).max() < 1e-5 * np.abs(expected).max()


def test_a_convolution_of_128_channels_has_an_eighth_left() -> None:
    inputs = keras.Input((14, 14, 128))
    model = keras.Model(inputs, _LAYERS.Conv2D(128, 3, padding="same", use_bias=False)(inputs))
    made = Separable(epochs=0, first=True).apply(model, Data(np.zeros((1, 14, 14, 128), np.float32))).model
    assert parameters(model) / parameters(made) == pytest.approx(8.41, abs=0.01)
    assert macs(model) / macs(made) == pytest.approx(8.41, abs=0.01)


def test_what_does_not_pay_or_is_left_out_stays() -> None:
    applied = Separable(multiplier=9, epochs=0, leave_out=("strided", "norm")).apply(_net(), _data())
    reasons = dict(applied.step.skipped)
    assert reasons["strided"] == "it is in leave_out"
    assert reasons["dilated"] == f"it would not pay: {24 * 9 * (9 + 24)} weights instead of {24 * 9 * 24}"
    assert not applied.step.layers and applied.step.summary == "no convolution replaced"
    with pytest.raises(UnknownNameError, match="stridde"):
        Separable(leave_out=("stridde",)).apply(_net(), _data())
    for wrong in ({"multiplier": 0}, {"start": "zeros"}, {"from_teacher": 2.0}):
        with pytest.raises(UsageError, match="separable"):
            Separable(**wrong)


def test_training_brings_it_back_to_the_teacher() -> None:
    """Without a label of any use: half of the loss is the old model's outputs, and they alone can be learned."""
    keras.utils.set_random_seed(2)
    stack = [
        _LAYERS.Input((12, 12, 2)),
        _LAYERS.Conv2D(8, 3, name="first"),
        _LAYERS.BatchNormalization(momentum=0.9),
        _LAYERS.ReLU(),
        _LAYERS.Conv2D(12, 3, name="second"),
        _LAYERS.BatchNormalization(momentum=0.9),
        _LAYERS.ReLU(),
        _LAYERS.GlobalAveragePooling2D(),
        _LAYERS.Dense(3),
    ]
    model = keras.Sequential(stack)
    x = _random(192, 12, 12, 2).astype(np.float32)
    model(x, training=True)
    data = Data(x, np.zeros(192, np.int64))
    goal = model.predict(x, verbose=0)
    settings: dict[str, Any] = {"from_teacher": 1.0, "learning_rate": 1e-2}

    def distance(technique: Separable, context: Context = Context()) -> float:
        made = technique.apply(model, data, context).model
        outputs = keras.ops.softmax(made.predict(x, verbose=0))
        return float(np.mean((np.asarray(outputs) - np.asarray(keras.ops.softmax(goal))) ** 2))

    start = distance(Separable(epochs=0))
    assert distance(Separable(epochs=6, **settings)) < start / 2
    # What the recipe started from comes first: here it says something else.
    other = keras.models.clone_model(model)
    assert distance(Separable(epochs=6, **settings), Context(teacher=other)) > start / 2
    assert distance(Separable(epochs=0, start="random")) > start


@pytest.mark.parametrize("technique", [Separable(epochs=3, seed=4), LowRank(rank=2, epochs=3, from_teacher=0.5)])
def test_a_training_that_was_killed_ends_with_the_same_weights(
    technique: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # As within `edgekit compress`: conversions need no child.
    monkeypatch.setenv("EDGEKIT_WORKER_FD", "0")
    convolutions = [_LAYERS.Conv2D(8, 3, activation="relu", name=name) for name in ("first", "second")]
    ends = [_LAYERS.GlobalAveragePooling2D(), _LAYERS.Dense(3)]
    model, data = keras.Sequential([_LAYERS.Input((16, 16, 4)), *convolutions, *ends]), _data()

    def kill(what: str, done: int = 0, total: int | None = None) -> None:
        if "training" in what and done == 3:
            raise KeyboardInterrupt

    whole = technique.apply(model, data, Context(checkpoint=tmp_path / "whole")).model
    with pytest.raises(KeyboardInterrupt):
        technique.apply(model, data, Context(progress=kill, checkpoint=tmp_path / "killed"))
    resumed = technique.apply(model, data, Context(checkpoint=tmp_path / "killed")).model
    pairs = zip(whole.weights, resumed.weights, strict=True)
    assert all(np.array_equal(one.numpy(), other.numpy()) for one, other in pairs)
    # It did go on, and did not begin anew.
    steps: list[int] = []
    told = Context(progress=lambda what, done=0, total=None: steps.append(done), checkpoint=tmp_path / "killed")
    technique.apply(model, data, told)
    assert 1 not in steps
