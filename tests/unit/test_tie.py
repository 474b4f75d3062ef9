"""Weight tying: the Keras model, and the one copy that its int8 file keeps."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest

from edgekit.compress.frame.cost import to_int8
from edgekit.compress.tie import Tie
from edgekit.data import Data
from edgekit.errors import ModelError, UnknownNameError
from edgekit.tflite import graph, interpreters
from edgekit.tflite.interpreters import Interpreter
from edgekit.tflite.quantize import dequantize_output
from edgekit.tflite.rewrite import rewrite

_WORDS, _DEPTH = 300, 16
_IDS = np.random.default_rng(5).integers(0, _WORDS, (64, 8))
_DATA = Data(_IDS.astype(np.float32))


def _model(middle: Callable[[Any], Any] | None = None, *, bias: bool = False, activation: Any = None) -> keras.Model:
    keras.utils.set_random_seed(1)
    inputs = keras.Input((8,), dtype="int32", name="ids")
    x = keras.layers.Embedding(_WORDS, _DEPTH, name="words")(inputs)
    x = keras.layers.Dense(_DEPTH, "relu", name="hidden")((middle or keras.layers.GlobalAveragePooling1D())(x))
    outputs = keras.layers.Dense(_WORDS, activation, use_bias=bias, name="scores")(x)
    model = keras.Model(inputs, outputs)
    # The same matrix at both ends. Its rows have about the same largest number: one scale is as good as one a row.
    random = np.random.default_rng(2)
    table = random.uniform(-1, 1, (_WORDS, _DEPTH))
    model.get_layer("words").set_weights([table])
    rest = [random.normal(size=_WORDS)] if bias else []
    model.get_layer("scores").set_weights([table.T, *rest])
    return model


def _tied(model: keras.Model, **settings: Any) -> keras.Model:
    return Tie(epochs=0, **settings).apply(model, _DATA).model


def _sqnr_db(model: keras.Model, flatbuffer: bytes) -> float:
    parsed = graph.parse(flatbuffer)
    inputs = tuple(np.ascontiguousarray(row).tobytes() for row in _IDS.astype(np.int32))
    given = dequantize_output(parsed, interpreters.run(flatbuffer, inputs, Interpreter.LITERT_REFERENCE).outputs)
    wanted = model.predict(_IDS, verbose=0)
    return float(10 * np.log10((wanted**2).sum() / ((wanted - given) ** 2).sum()))


@pytest.mark.parametrize("bias", [False, True])
@pytest.mark.parametrize("activation", [None, "softmax"])
def test_equal_matrices_are_tied_exactly(bias: bool, activation: str | None, tmp_path: Path) -> None:
    model = _model(bias=bias, activation=activation)
    before = [weight.copy() for weight in model.get_weights()]
    tied = _tied(model)
    assert np.allclose(tied(_IDS), model(_IDS), atol=1e-5)
    assert tied.count_params() == model.count_params() - _WORDS * _DEPTH - bias * _WORDS
    assert [type(layer) for layer in tied.layers if layer.name == "words"] == [keras.layers.ReversibleEmbedding]
    tied.save(tmp_path / "tied.keras")
    assert np.allclose(keras.models.load_model(tmp_path / "tied.keras")(_IDS), tied(_IDS))
    assert all((old == new).all() for old, new in zip(before, model.get_weights(), strict=True))


def test_a_sequential_model() -> None:
    layers = [keras.layers.Embedding(9, 4), keras.layers.Flatten(), keras.layers.Dense(4), keras.layers.Dense(9)]
    model = keras.Sequential([keras.layers.Input((3,)), *layers])
    tied = _tied(model)
    assert tied.count_params() == 9 * 4 + 12 * 4 + 4


@pytest.mark.parametrize("keep", ["output", "embedding", "mean"])
def test_which_numbers_stay(keep: str) -> None:
    model = _model()
    model.get_layer("words").embeddings.assign_add(np.ones((_WORDS, _DEPTH)))
    table, kernel = model.get_layer("words").embeddings.numpy(), model.get_layer("scores").kernel.numpy().T
    wanted = {"output": kernel, "embedding": table, "mean": (table + kernel) / 2}[keep]
    assert np.allclose(_tied(model, keep=keep).get_layer("words").embeddings, wanted)


def test_fine_tuning_moves_the_one_matrix() -> None:
    labels = _IDS[:, 0].astype(np.int64)
    applied = Tie(epochs=40, learning_rate=0.02).apply(_model(), Data(_IDS.astype(np.float32), labels))
    assert applied.step.layers[0].before == 2 * applied.step.layers[0].after == 2 * _WORDS * _DEPTH
    # The first of eight words is asked for: one of eight is what guessing among them gives.
    assert (applied.model.predict(_IDS, verbose=0).argmax(1) == labels).mean() > 0.5


def _squash(x: Any) -> Any:
    """An operator whose output scale is fixed, so that its input's may not change behind its back."""
    return keras.layers.Flatten()(keras.layers.Activation("tanh")(x))


@pytest.mark.parametrize(
    ("middle", "kinds"),
    [
        (keras.layers.GlobalAveragePooling1D(), ("GATHER", "MEAN")),
        (keras.layers.Flatten(), ("GATHER", "RESHAPE")),
        (lambda x: x, ("GATHER", "FULLY_CONNECTED")),
        (_squash, ("GATHER", "QUANTIZE")),
    ],
)
def test_int8_keeps_one_copy_as_true_as_two(middle: Callable[[Any], Any], kinds: tuple[str, ...]) -> None:
    model = _model(middle, bias=True)
    other = keras.models.clone_model(model)
    other.set_weights(model.get_weights())
    # Two matrices for the converter: the last number differs.
    kernel = other.get_layer("scores").kernel
    kernel.assign(kernel.numpy() + 0.5 * (np.arange(kernel.shape[1]) == 7))
    untied, flatbuffer = to_int8(other, _DATA), to_int8(_tied(model), _DATA)
    # The numbers, and a scale and a zero point for each row of the untied matrix.
    assert len(untied) - len(flatbuffer) > _WORDS * _DEPTH
    parsed = graph.parse(flatbuffer)
    assert tuple(op.kind for op in parsed.ops[:2]) == kinds
    dense = next(op for op in reversed(parsed.ops) if op.kind == "FULLY_CONNECTED")
    table, weights = parsed.tensors[parsed.ops[0].inputs[0]], parsed.tensors[dense.inputs[1]]
    assert table.quant == weights.quant and (table.data == weights.data).all()
    assert _sqnr_db(model, flatbuffer) > _sqnr_db(other, untied) - 1.5
    assert rewrite(flatbuffer).flatbuffer == flatbuffer


def test_what_cannot_be_tied_is_refused() -> None:
    with pytest.raises(UnknownNameError, match="word"):
        _tied(_model(), embedding="word")
    with pytest.raises(ModelError, match=r"words 300 x 16"):
        _tied(_model(), output="hidden")
    with pytest.raises(ModelError, match="it has neither"):
        _tied(keras.Sequential([keras.layers.Input((2,)), keras.layers.ReLU()]))
    with pytest.raises(ModelError):
        _tied(_tied(_model()))
