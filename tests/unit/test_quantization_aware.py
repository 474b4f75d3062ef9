"""What quantization-aware training computes is what its full-integer form computes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
from numpy.typing import NDArray

from edgekit.compress.frame.cost import to_int8
from edgekit.compress.frame.step import Applied, Context
from edgekit.compress.quantization import fake_quantized
from edgekit.compress.quantization.fake_quantized import FakeQuantized
from edgekit.compress.quantization_aware import QuantizationAware
from edgekit.data import Data
from edgekit.errors import ModelError, UnknownNameError, UsageError
from edgekit.tflite import interpreters
from edgekit.tflite.graph import parse
from edgekit.tflite.interpreters import Interpreter
from edgekit.tflite.quantization_plan import QuantizationPlan
from edgekit.tflite.quantize import quantize, quantize_input

L = keras.layers


def _small_cnn() -> keras.Model:
    layers = [
        L.Input((8, 8, 3)),
        L.Conv2D(8, 3, use_bias=False, name="conv"),
        L.BatchNormalization(),
        L.ReLU(),
        L.MaxPooling2D(),
        L.Flatten(),
        L.Dropout(0.1),
        L.Dense(5, name="classes"),
    ]
    return keras.Sequential(layers)


def _residual() -> keras.Model:
    inputs = L.Input((8, 8, 3))
    x = L.ReLU(6)(L.BatchNormalization()(L.Conv2D(8, 3, padding="same", name="stem")(inputs)))
    y = L.ReLU(6)(L.BatchNormalization()(L.DepthwiseConv2D(3, padding="same", name="depthwise")(x)))
    x = L.Add()([x, L.BatchNormalization()(L.Conv2D(8, 1, name="project")(y))])
    x = L.Concatenate()([L.AveragePooling2D(2)(x), L.Conv2D(4, 2, strides=2, activation="relu", name="beside")(x)])
    return keras.Model(inputs, L.Dense(5, activation="softmax", name="classes")(L.GlobalAveragePooling2D()(x)))


def _dense() -> keras.Model:
    layers = [L.Input((12,)), L.Dense(16, activation="relu"), L.Dense(16, activation="relu"), L.Dense(3)]
    return keras.Sequential(layers)


def _approximated() -> keras.Model:
    # A step of what goes into them is more than one of what comes out.
    layers = [L.Input((12,)), L.Dense(16, activation="tanh"), L.Dense(5, name="classes", activation="softmax")]
    return keras.Sequential(layers)


def _data(model: keras.Model) -> Data:
    rng = np.random.default_rng(0)
    x = rng.normal(size=(96, *model.input_shape[1:])).astype(np.float32)
    if model.output_shape[-1] == 5:
        return Data(x, rng.integers(0, 5, len(x)))
    return Data(x, rng.normal(size=(len(x), 3)).astype(np.float32))


def _apply(monkeypatch: pytest.MonkeyPatch, model: keras.Model, **settings: Any) -> tuple[Applied, FakeQuantized]:
    """Run the technique, and keep the model that it trained."""
    kept: list[FakeQuantized] = []
    original = FakeQuantized.bake_into

    def keep(self: FakeQuantized, into: keras.Model) -> None:
        kept.append(self)
        original(self, into)

    monkeypatch.setattr(fake_quantized.FakeQuantized, "bake_into", keep)
    applied = QuantizationAware(epochs=2, **settings).apply(model, _data(model))
    return applied, kept[0]


def _differences(
    build: Any, settings: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> tuple[NDArray[Any], NDArray[Any]]:
    """Return by how many steps of the output integers and training differ, and float model and training."""
    keras.utils.set_random_seed(2)
    model = build()
    data = _data(model)
    applied, trained = _apply(monkeypatch, model, **settings)
    assert applied.plan is not None
    graph = parse(to_int8(applied.model, data, applied.plan))
    run = interpreters.run(
        graph.flatbuffer, quantize_input(graph, data.x_train), Interpreter.LITERT_REFERENCE, timeout_s=60
    )
    quant = graph.tensors[graph.outputs[0]].quant
    assert quant is not None
    integers = np.stack([np.frombuffer(one, np.int8) for one in run.outputs]).astype(int)
    rounded = trained.predict(data.x_train, verbose=0)
    expected = quantize(rounded, quant.scale[0], quant.zero_point[0], "int8").astype(int)
    plain = applied.model.predict(data.x_train, verbose=0)
    return np.abs(integers - expected), np.abs(plain - rounded) / quant.scale[0]


@pytest.mark.parametrize(
    ("build", "settings"),
    [
        (_small_cnn, {}),
        (_residual, {}),
        (_residual, {"weight_bits": 4, "depthwise": True}),
        (_dense, {"weight_bits": 4, "ranges": "learned"}),
    ],
)
def test_the_integers_are_within_one_step_of_the_training(
    build: Any, settings: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    integers, floats = _differences(build, settings, monkeypatch)
    assert integers.max() <= 1
    # The float model with its weights on their grids is near, but not the same: its activations are not rounded.
    assert 0.1 < floats.max() < 12


def test_behind_softmax_and_tanh_nearly_all_are(monkeypatch: pytest.MonkeyPatch) -> None:
    integers, _ = _differences(_approximated, {}, monkeypatch)
    assert integers.max() <= 3 and (integers <= 1).mean() > 0.98


def test_weights_lie_on_a_grid_and_training_moved_them(monkeypatch: pytest.MonkeyPatch) -> None:
    model = _small_cnn()
    before = [weight.copy() for weight in model.get_weights()]
    applied, trained = _apply(monkeypatch, model, weight_bits=4)
    assert all((now == then).all() for now, then in zip(model.get_weights(), before, strict=True))
    kernel = applied.model.get_layer("conv").kernel.numpy()
    assert all(len(np.unique(kernel[..., channel])) <= 15 for channel in range(8))
    assert len(np.unique(applied.model.get_layer("classes").kernel.numpy())) <= 15
    assert not any(isinstance(layer, L.BatchNormalization) for layer in applied.model.layers)
    untrained = QuantizationAware(epochs=0, weight_bits=4).apply(model, _data(model)).model
    assert (kernel != untrained.get_layer("conv").kernel.numpy()).any()
    assert (trained.inner.get_layer("conv").kernel.numpy() != kernel).any()
    assert {change.after for change in applied.step.layers} == {4}


def test_a_plan_made_before_is_kept() -> None:
    model = _residual()
    context = Context(plan=QuantizationPlan(per_channel=False, weight_bits=(("project", 4),)))
    applied = QuantizationAware(epochs=1).apply(model, _data(model), context)
    assert applied.plan is not None
    assert applied.plan.weight_bits == (("project", 4),) and not applied.plan.per_channel
    assert len(np.unique(applied.model.get_layer("project").kernel.numpy())) <= 15
    wide = QuantizationAware(epochs=0).apply(model, _data(model), Context(plan=QuantizationPlan(activation_bits=16)))
    assert wide.plan is not None and wide.plan.ranges == () and wide.plan.activation_bits == 16


def test_the_zeros_of_a_pruned_kernel_stay(monkeypatch: pytest.MonkeyPatch) -> None:
    model = _small_cnn()
    kernel = model.get_layer("classes").kernel
    mask = np.random.default_rng(1).random(kernel.shape) > 0.8
    kernel.assign(kernel.numpy() * mask)
    applied, _ = _apply(monkeypatch, model)
    after = applied.model.get_layer("classes").kernel.numpy()
    assert not after[~mask].any() and np.count_nonzero(after) > 0.9 * mask.sum()
    assert (after != kernel.numpy()).any()


def test_a_training_that_was_killed_goes_on_to_the_same_weights(tmp_path: Path) -> None:
    model = _small_cnn()
    data = _data(model)
    whole = QuantizationAware(epochs=3).apply(model, data)

    def killed(what: str, step: int, steps: int) -> None:
        if step > 0.7 * steps:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        QuantizationAware(epochs=3).apply(model, data, Context(progress=killed, checkpoint=tmp_path))
    resumed = QuantizationAware(epochs=3).apply(model, data, Context(checkpoint=tmp_path))
    pairs = zip(whole.model.get_weights(), resumed.model.get_weights(), strict=True)
    assert all((one == other).all() for one, other in pairs)
    assert whole.plan == resumed.plan


def test_depthwise_and_named_layers_keep_8_bits() -> None:
    model = _residual()
    applied = QuantizationAware(epochs=0, weight_bits=4, leave_out=("stem",)).apply(model, _data(model))
    bits = {change.name: change.after for change in applied.step.layers}
    assert bits == {"stem": 8, "depthwise": 8, "project": 4, "beside": 4, "classes": 4}
    assert {"stem", "depthwise", "fine-tuning"} <= set(dict(applied.step.skipped))


def test_bad_input_is_one_clear_error_or_a_reason() -> None:
    model = _small_cnn()
    data = _data(model)
    with pytest.raises(UnknownNameError, match="absent"):
        QuantizationAware(epochs=0, leave_out=("absent",)).apply(model, data)
    with pytest.raises(UsageError, match="expected 4 or 8"):
        QuantizationAware(weight_bits=5)
    with pytest.raises(ModelError, match="diverged"):
        QuantizationAware(epochs=2, learning_rate=1.0).apply(
            model, Data(np.full_like(data.x_train, 3e38), data.y_train)
        )
    unlabeled = QuantizationAware().apply(model, Data(data.x_train))
    assert "y_train" in dict(unlabeled.step.skipped)["fine-tuning"]
    assert unlabeled.plan is not None and unlabeled.plan.ranges

    class Own(keras.Model):  # type: ignore[misc]
        def __init__(self, **kwargs: Any) -> None:
            super().__init__(**kwargs)
            self.dense = L.Dense(5)

        def call(self, x: Any) -> Any:
            return self.dense(x)

    own = Own()
    own(np.zeros((1, 4), np.float32))
    keras.saving.register_keras_serializable("tests")(Own)
    result = QuantizationAware(epochs=0).apply(own, Data(np.zeros((4, 4), np.float32)))
    assert "subclassed" in dict(result.step.skipped)[own.name] and result.plan is None


def test_it_is_rounded_where_the_integers_are() -> None:
    from edgekit.compress.layers.fold_batch_norm import fold_batch_norm
    from edgekit.compress.quantization.activation_ranges import rounding_points

    found = rounding_points(fold_batch_norm(_residual()))
    relus = {name for name in found.points if name.startswith("re_lu")}
    assert len(relus) == 2
    # Not behind `stem` and `depthwise`, which the ReLU ends; the average keeps the range of the sum.
    assert set(found.points) - relus == {"", "project", "beside", "classes"} | {
        name for name in found.points if name.startswith(("add", "concatenate", "global_average"))
    }
    shared = next(name for name in found.points if name.startswith("concatenate"))
    assert (
        found.points["beside"] == found.points[next(name for name in found.points if name.startswith("add"))] == shared
    )
    assert found.sources["stem"] == "" and found.sources["depthwise"] in relus
    ids = L.Input((6,))
    table = keras.Model(ids, L.Dense(3)(L.Flatten()(L.Embedding(9, 4, name="table")(ids))))
    assert "" not in rounding_points(table).points
    assert dict(rounding_points(table).unknown).keys() == {"table"}


def test_layers_of_a_nested_model_are_rounded(monkeypatch: pytest.MonkeyPatch) -> None:
    block = keras.Sequential(
        [L.Input((8, 8, 3)), L.Conv2D(3, 3, padding="same", name="inner"), L.BatchNormalization(), L.ReLU()]
    )
    inputs = L.Input((8, 8, 3))
    outputs = L.Dense(5, name="classes")(L.GlobalAveragePooling2D()(L.Add()([block(inputs), inputs])))
    applied, trained = _apply(monkeypatch, keras.Model(inputs, outputs), weight_bits=4)
    assert {change.name for change in applied.step.layers} == {"inner", "classes"}
    assert len(trained.grids) == 2 and len(trained.made) == 5
