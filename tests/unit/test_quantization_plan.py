"""What a plan says is what the converter does, and every engine runs it."""

from __future__ import annotations

import json
import zipfile
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest

from edgekit import metrics
from edgekit.errors import ModelError
from edgekit.tflite import interpreters, keras_archive
from edgekit.tflite.convert_trace import trace_keras
from edgekit.tflite.graph import Graph, Tensor, parse
from edgekit.tflite.interpreters import Interpreter
from edgekit.tflite.keras_file import keras_bytes, plan_of
from edgekit.tflite.quantization_plan import QuantizationPlan
from edgekit.tflite.quantize import dequantize_output, quantize_input
from edgekit.tflite.rewrite import rewrite
from edgekit.tflite.rewrite.narrow_weights import grid_scales, packed
from edgekit.tflite.to_int8 import to_int8

L = keras.layers
LAYERS = ("stem", "depthwise", "pointwise", "scores")


@pytest.fixture(scope="module")
def model() -> keras.Model:
    keras.utils.set_random_seed(3)
    inputs = L.Input((8, 8, 3), name="picture")
    x = L.ReLU(6, name="stem_relu")(L.BatchNormalization()(L.Conv2D(8, 3, padding="same", name="stem")(inputs)))
    y = L.ReLU(name="depthwise_relu")(L.DepthwiseConv2D(3, padding="same", depth_multiplier=2, name="depthwise")(x))
    y = L.Conv2D(8, 1, activation="relu", name="pointwise")(y)
    x = L.Flatten()(L.MaxPooling2D()(L.Add(name="add")([x, y])))
    return keras.Model(inputs, L.Softmax()(L.Dense(5, name="scores")(x)))


@pytest.fixture(scope="module")
def x() -> Any:
    return np.random.default_rng(0).normal(size=(48, 8, 8, 3)).astype(np.float32)


def _convert(model: keras.Model, x: Any, plan: QuantizationPlan) -> Graph:
    return parse(rewrite(to_int8(trace_keras(model, x, plan), x)).flatbuffer)


def _weights(graph: Graph) -> dict[str, Tensor]:
    """Layer name -> its operator's weights, told apart by their shapes."""
    shapes = {(8, 3, 3, 3): "stem", (1, 3, 3, 16): "depthwise", (8, 1, 1, 16): "pointwise", (5, 128): "scores"}
    return {shapes[tensor.shape]: tensor for tensor in graph.tensors if tensor.shape in shapes}


def _sqnr_db(model: keras.Model, graph: Graph, x: Any) -> dict[Interpreter, float]:
    reference, inputs = np.asarray(model(x, training=False)), quantize_input(graph, x)
    runners = [who for who in (Interpreter.TFLM, Interpreter.LITERT_REFERENCE) if interpreters.available(who)]
    runs = {who: interpreters.run(graph.flatbuffer, inputs, who, timeout_s=60) for who in runners}
    return {who: metrics.sqnr_db(reference, dequantize_output(graph, run.outputs)) for who, run in runs.items()}


@pytest.mark.parametrize(
    ("plan", "least_db"),
    [
        (QuantizationPlan(), 30),
        (QuantizationPlan(per_channel=False), 30),
        (QuantizationPlan(activation_bits=16), 40),
        (QuantizationPlan(activation_bits=16, per_channel=False), 35),
        (QuantizationPlan(weight_bits=(("pointwise", 4),)), 25),
        (QuantizationPlan(weight_bits=tuple((name, 4) for name in LAYERS)), 15),
    ],
)
def test_every_choice_runs_and_stays_near_float(
    plan: QuantizationPlan, least_db: float, model: keras.Model, x: Any
) -> None:
    graph = _convert(model, x, plan)
    assert min(_sqnr_db(model, graph, x).values()) > least_db
    narrow = {name for name, _ in plan.weight_bits}
    for name, tensor in _weights(graph).items():
        assert tensor.dtype == ("int4" if name in narrow else "int8")
        assert tensor.quant is not None
        one_scale = not plan.per_channel or (name == "scores" and name in narrow)
        assert (len(tensor.quant.scale) == 1) == one_scale
    assert graph.tensors[graph.inputs[0]].dtype == f"int{plan.activation_bits}"


def test_the_engine_of_this_project_runs_them(model: keras.Model, x: Any) -> None:
    from edgekit.engine.program import program

    for plan in (
        QuantizationPlan(activation_bits=16),
        QuantizationPlan(per_channel=False, weight_bits=tuple((name, 4) for name in LAYERS)),
    ):
        assert program(_convert(model, x, plan)).memory.arena_bytes > 0


def test_weights_on_a_grid_of_four_bits_keep_their_values(model: keras.Model, x: Any) -> None:
    snapped = keras.models.clone_model(model)
    snapped.set_weights(model.get_weights())
    rng = np.random.default_rng(1)
    # The largest is not 7 in every channel, as after clipping.
    steps = rng.integers(-6, 7, (1, 1, 16, 8))
    grid = rng.uniform(0.01, 0.2, 8).astype(np.float32)
    layer = snapped.get_layer("pointwise")
    layer.set_weights([steps * grid, layer.get_weights()[1]])
    tensor = _weights(_convert(snapped, x, QuantizationPlan(weight_bits=(("pointwise", 4),))))["pointwise"]
    assert tensor.quant is not None and tensor.data is not None
    real = tensor.data * np.asarray(tensor.quant.scale).reshape(-1, 1, 1, 1)
    np.testing.assert_allclose(real[:, 0, 0], (steps * grid)[0, 0].T, rtol=1e-5)


def test_ranges_are_taken_as_they_are(model: keras.Model, x: Any) -> None:
    ranges = (("", -3.0, 3.5), ("stem_relu", 0.0, 6.0), ("add", 0.0, 5.0), ("scores", -2.0, 3.0))
    graph = _convert(model, x, QuantizationPlan(ranges=ranges))
    made = {op.kind: graph.tensors[op.outputs[0]].quant for op in graph.ops}
    found = [graph.tensors[graph.inputs[0]].quant, graph.tensors[graph.ops[0].outputs[0]].quant]
    found += [made["ADD"], made["FULLY_CONNECTED"]]
    for quant, (_, low, high) in zip(found, ranges, strict=True):
        assert quant is not None
        assert quant.scale[0] == pytest.approx((high - low) / 255, rel=1e-6)
    assert all("call" not in vars(layer) for layer in model.layers)


def test_one_scale_a_tensor_holds_between_two_ranges_too(model: keras.Model, x: Any) -> None:
    # Between two ranges the converter itself goes by channels.
    plan = QuantizationPlan(per_channel=False, ranges=(("", -4.0, 4.0), ("stem_relu", 0.0, 6.0)))
    graph = _convert(model, x, plan)
    assert {len(tensor.quant.scale) for tensor in _weights(graph).values() if tensor.quant} == {1}
    assert min(_sqnr_db(model, graph, x).values()) > 25


def test_a_plan_that_does_not_fit_the_model_is_refused(model: keras.Model, x: Any) -> None:
    for plan, what in [
        (QuantizationPlan(weight_bits=(("absent", 4),)), "no layer 'absent'"),
        (QuantizationPlan(ranges=(("absent", -1.0, 1.0),)), "no layer 'absent'"),
        (QuantizationPlan(weight_bits=(("add", 4),)), "cannot have 4-bit"),
        (QuantizationPlan(activation_bits=16, weight_bits=(("stem", 4),)), "no kernel computes"),
    ]:
        with pytest.raises(ModelError, match=what):
            _convert(model, x, plan)


def test_the_plan_travels_in_the_file_and_damage_is_refused(model: keras.Model, tmp_path: Path) -> None:
    plan = QuantizationPlan(per_channel=False, weight_bits=(("stem", 4),), ranges=(("", -1.0, 2.0),))
    path = tmp_path / "model.keras"
    path.write_bytes(keras_bytes(model, plan))
    keras_archive.check(path, ".keras")
    assert plan_of(path) == plan
    assert keras.models.load_model(path).count_params() == model.count_params()
    for change in (
        {"activation_bits": 7},
        {"weight_bits": [["stem", 3]]},
        {"weight_bits": [[1, 4]]},
        {"ranges": [["", 1.0, 2.0]]},
        {"ranges": [["", -1e30, 2.0]]},
        {"ranges": [["", float("nan"), 2.0]]},
        {"per_channel": 1},
    ):
        path.write_bytes(keras_bytes(model))
        with zipfile.ZipFile(path, "a") as archive:
            archive.writestr("edgekit.json", json.dumps(plan.to_json() | change))
        with pytest.raises(ModelError, match="plan is damaged"):
            keras_archive.check(path, ".keras")


def test_grids_and_packing() -> None:
    rows = np.array([[3, -6, 1], [0, 0, 0], [7, 1, -2]]) * np.array([[0.1], [1], [2]])
    assert grid_scales(rows, 4).ravel() == pytest.approx([0.1, 1, 2])
    assert grid_scales(rows, 8).ravel() == pytest.approx([0.6 / 127, 1, 14 / 127])
    steps = np.arange(-8, 7, dtype=np.int8)
    both = packed(steps).view(np.int8)
    halves = np.stack([(both << 4) >> 4, both >> 4], axis=1).ravel()
    assert halves[: len(steps)].tolist() == steps.tolist()
