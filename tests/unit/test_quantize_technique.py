"""Post-training choices: bits by layer to a budget, equalized ranges, corrected biases."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
import pytest

from edgekit.compress.correct_bias import CorrectBias
from edgekit.compress.equalize import Equalize
from edgekit.compress.frame.cost import to_int8
from edgekit.compress.frame.step import Context
from edgekit.compress.quantize import Quantize
from edgekit.data import Data
from edgekit.errors import DataError, UnknownNameError, UsageError
from edgekit.tflite.graph import parse
from edgekit.tflite.quantization_plan import QuantizationPlan

L = keras.layers


def _net(relu: float | None = None) -> keras.Model:
    keras.utils.set_random_seed(5)
    layers = [
        L.Input((8, 8, 3)),
        L.Conv2D(8, 3, padding="same", name="stem"),
        L.BatchNormalization(),
        L.ReLU(relu),
        L.DepthwiseConv2D(3, padding="same", depth_multiplier=2, name="depthwise"),
        L.ReLU(),
        L.MaxPooling2D(),
        L.Conv2D(12, 1, activation="relu", name="pointwise"),
        L.Flatten(),
        L.Dense(24, activation="relu", name="hidden"),
        L.Dense(4, activation="softmax", name="classes"),
    ]
    return keras.Sequential(layers)


@pytest.fixture(scope="module")
def data() -> Data:
    rng = np.random.default_rng(0)
    x = rng.normal(size=(96, 8, 8, 3)).astype(np.float32)
    return Data(x, np.asarray(_net()(x)).argmax(axis=1))


def _values(model: keras.Model, name: str) -> int:
    return len(np.unique(model.get_layer(name).kernel.numpy()))


def test_four_bits_are_on_the_grid_before_and_in_the_file(data: Data) -> None:
    model = _net()
    before = [weight.copy() for weight in model.get_weights()]
    applied = Quantize(weight_bits=4, leave_out=("stem",)).apply(model, data)
    assert all((now == then).all() for now, then in zip(model.get_weights(), before, strict=True))
    assert {change.name: change.after for change in applied.step.layers} == {
        "stem": 8,
        "depthwise": 8,
        "pointwise": 4,
        "hidden": 4,
        "classes": 4,
    }
    assert applied.plan is not None
    assert _values(applied.model, "hidden") <= 15 < _values(applied.model, "stem")
    graph = parse(to_int8(applied.model, data, applied.plan))
    (hidden,) = (tensor for tensor in graph.tensors if tensor.shape == (24, 192) and tensor.data is not None)
    assert hidden.dtype == "int4" and hidden.quant is not None and hidden.data is not None
    real = hidden.data.T * hidden.quant.scale[0]
    np.testing.assert_allclose(real, applied.model.get_layer("hidden").kernel.numpy(), rtol=1e-5)


def test_scales_and_activations_are_the_plans(data: Data) -> None:
    applied = Quantize(per_channel=False, activation_bits=16).apply(_net(), data)
    assert applied.plan == QuantizationPlan(activation_bits=16, per_channel=False)
    assert any(isinstance(layer, L.BatchNormalization) for layer in applied.model.layers)
    assert parse(to_int8(applied.model, data, applied.plan)).tensors[0].dtype == "int16"


def test_a_budget_in_bytes_takes_no_more_layers_than_it_needs(data: Data) -> None:
    model = _net()
    sizes = {}
    for bits in (8, 4):
        applied = Quantize(weight_bits=bits, correct_bias=False).apply(model, data)
        assert applied.plan is not None
        sizes[bits] = len(to_int8(applied.model, data, applied.plan))
    limit = (sizes[4] + sizes[8]) // 2
    applied = Quantize(weight_bits=4, max_bytes=limit).apply(model, data)
    assert applied.plan is not None and applied.plan.weight_bits
    assert len(to_int8(applied.model, data, applied.plan)) <= limit
    assert any("SQNR" in reason for _, reason in applied.step.skipped)
    with pytest.raises(UsageError, match=f"{sizes[4]:,}"):
        Quantize(weight_bits=4, max_bytes=sizes[4] - 1).apply(model, data)


def test_a_budget_in_loss_leaves_the_layers_that_bear_it_worst(data: Data) -> None:
    strict, free = (
        Quantize(weight_bits=4, max_loss=loss, correct_bias=False).apply(_net(), data) for loss in (0.02, 0.9)
    )
    assert strict.plan is not None and free.plan is not None
    assert len(strict.plan.weight_bits) < len(free.plan.weight_bits) == 4
    outputs = np.asarray(strict.model(data.x_train)).argmax(axis=1)
    assert (outputs == data.y_train).mean() >= 0.98
    with pytest.raises(DataError, match="y_train"):
        Quantize(weight_bits=4, max_loss=0.1).apply(_net(), Data(data.x_train))


@pytest.mark.parametrize(
    ("settings", "what"),
    [
        ({"weight_bits": 5}, "expected 4 or 8"),
        ({"activation_bits": 12}, "expected 8 or 16"),
        ({"weight_bits": 4, "max_bytes": 5, "max_loss": 0.1}, "expected one"),
        ({"max_bytes": 5}, "weight_bits = 8"),
    ],
)
def test_settings_that_contradict_each_other_are_refused(settings: dict[str, Any], what: str) -> None:
    with pytest.raises(UsageError, match=what):
        Quantize(**settings)


def test_names_and_combinations_that_do_not_exist_are_refused(data: Data) -> None:
    with pytest.raises(UnknownNameError, match="absent"):
        Quantize(leave_out=("absent",)).apply(_net(), data)
    with pytest.raises(UsageError, match="no kernel computes"):
        Quantize(weight_bits=4, activation_bits=16).apply(_net(), data)


def _unbalanced() -> keras.Model:
    model = _net()
    rng = np.random.default_rng(4)
    for name in ("stem", "pointwise"):
        layer = model.get_layer(name)
        factor = np.exp(rng.uniform(-3, 3, layer.kernel.shape[-1]))
        layer.kernel.assign(layer.kernel.numpy() * factor)
    return model


def test_equalizing_changes_no_output_and_evens_the_ranges(data: Data) -> None:
    model = _unbalanced()
    applied = Equalize().apply(model, data)
    before, after = np.asarray(model(data.x_train)), np.asarray(applied.model(data.x_train))
    np.testing.assert_allclose(after, before, atol=2e-5)
    assert {change.name for change in applied.step.layers} == {"stem", "depthwise", "pointwise", "hidden", "classes"}
    changes = {change.name: change for change in applied.step.layers}
    assert changes["stem"].after < changes["stem"].before / 3


def test_a_relu6_ends_a_chain_unless_it_is_replaced(data: Data) -> None:
    model = _net(6.0)
    kept = Equalize().apply(model, data)
    assert "replace_relu6" in dict(kept.step.skipped)["stem"]
    replaced = Equalize(replace_relu6=True).apply(model, data)
    assert "1 ReLU6 replaced" in replaced.step.summary
    assert "stem" not in dict(replaced.step.skipped)
    assert model.layers[2].max_value == 6


def _mean_error(model: keras.Model, reference: keras.Model, x: Any) -> float:
    return float(np.abs((np.asarray(model(x)) - np.asarray(reference(x))).mean(axis=(0, 1, 2))).max())


def test_correcting_biases_takes_the_mean_error_out(data: Data) -> None:
    inputs = L.Input((8, 8, 3))
    x = L.ReLU()(L.Conv2D(16, 3, name="first")(inputs))
    model = keras.Model(inputs, L.Conv2D(6, 1, name="second")(L.MaxPooling2D()(x)))
    x = np.abs(data.x_train)
    errors = [
        _mean_error(Quantize(weight_bits=4, correct_bias=correct).apply(model, Data(x)).model, model, x)
        for correct in (False, True)
    ]
    assert errors[1] < errors[0] / 100

    context = Context(plan=QuantizationPlan(per_channel=False))
    applied = CorrectBias().apply(model, Data(x), context)
    assert [change.name for change in applied.step.layers] == ["first", "second"]
    from edgekit.compress.quantization.weight_grid import grids

    errors = []
    for source in (model, applied.model):
        rounded = keras.models.clone_model(source)
        rounded.set_weights(source.get_weights())
        for layer in rounded.layers:
            for grid in grids(layer, 8, per_channel=False):
                grid.bake()
        errors.append(_mean_error(rounded, model, x))
    assert errors[1] < errors[0] / 20


def test_what_was_corrected_or_trained_before_is_left_alone(data: Data) -> None:
    four = Context(plan=QuantizationPlan(weight_bits=(("hidden", 4),)))
    assert "quantize" in dict(CorrectBias().apply(_net(), data, four).step.skipped)["hidden"]
    trained = Context(plan=QuantizationPlan(ranges=(("", -1.0, 1.0),)))
    for technique in (CorrectBias(), Equalize()):
        assert technique.apply(_net(), data, trained).step.summary == "nothing done"
    assert Equalize().apply(_net(), data, four).step.summary == "nothing done"
