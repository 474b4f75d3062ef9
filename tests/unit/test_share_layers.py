"""Cross-layer sharing: which layers are alike, what the one layer computes, and its one copy in the int8 file."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest

from edgekit.compress.frame.cost import to_int8
from edgekit.compress.share_layers import ShareLayers
from edgekit.data import Data
from edgekit.errors import ModelError, UnknownNameError
from edgekit.tflite.shrink import chain

_X = np.random.default_rng(5).normal(size=(64, 6, 16)).astype(np.float32)
_DATA = Data(_X, (_X[:, 0, 0] > 0).astype(np.int64))


def _block(x: Any, number: int) -> Any:
    attended = keras.layers.MultiHeadAttention(2, 8, name=f"attention_{number}")(x, x)
    x = keras.layers.Add(name=f"add_{number}")([x, attended])
    wide = keras.layers.Dense(16, "relu", name=f"wide_{number}")(x)
    narrow = keras.layers.Dense(16, name=f"narrow_{number}")(wide)
    return keras.layers.BatchNormalization(name=f"norm_{number}")(keras.layers.Add(name=f"sum_{number}")([x, narrow]))


def _model(blocks: int = 2) -> keras.Model:
    keras.utils.set_random_seed(1)
    x = inputs = keras.Input((6, 16))
    for number in range(blocks):
        x = _block(x, number)
    x = keras.layers.GlobalAveragePooling1D()(x)
    return keras.Model(inputs, keras.layers.Dense(2, "softmax", name="scores")(x))


def _share(model: keras.Model, **settings: Any) -> keras.Model:
    return ShareLayers(epochs=0, **settings).apply(model, _DATA).model


def _names(model: keras.Model) -> set[str]:
    return {layer.name for layer in model.layers}


@pytest.mark.parametrize("start", ["mean", "first"])
def test_one_layer_computes_what_equal_layers_did(start: str, tmp_path: Path) -> None:
    """The original with both blocks set to the shared weights is the oracle."""
    model = _model()
    before = [weight.copy() for weight in model.get_weights()]
    shared = _share(model, start=start)
    gone = {f"{name}_{number}" for name in ("attention", "wide", "narrow") for number in (1,)}
    assert _names(model) - _names(shared) == gone
    oracle = keras.models.clone_model(model)
    oracle.set_weights(model.get_weights())
    for layer in oracle.layers:
        stem = layer.name.rpartition("_")[0]
        if stem in ("attention", "wide", "narrow"):
            own = [model.get_layer(f"{stem}_{each}").get_weights() for each in range(2)]
            layer.set_weights(
                own[0] if start == "first" else [np.mean(same, axis=0) for same in zip(*own, strict=True)]
            )
    assert np.allclose(shared(_X), oracle(_X), atol=1e-5)
    assert not np.allclose(shared(_X), model(_X), atol=1e-3)
    assert all((old == new).all() for old, new in zip(before, model.get_weights(), strict=True))
    shared.save(tmp_path / "shared.keras")
    assert np.allclose(keras.models.load_model(tmp_path / "shared.keras")(_X), shared(_X))


def test_the_report_counts_what_went() -> None:
    model = _model()
    applied = ShareLayers(epochs=0).apply(model, _DATA)
    saved = sum(change.before - change.after for change in applied.step.layers)
    assert saved == model.count_params() - applied.model.count_params() > 0


def test_named_layers_alone() -> None:
    model = _model()
    assert _names(model) - _names(_share(model, layers=("wide_0", "wide_1"))) == {"wide_1"}
    assert "attention_1" not in _names(model) - _names(_share(model, leave_out=("attention_0", "attention_1")))


def _chain() -> keras.Model:
    keras.utils.set_random_seed(1)
    inputs = x = keras.Input((64,))
    for number in range(4):
        x = keras.layers.Dense(64, "relu", name=f"dense_{number}")(x)
    return keras.Model(inputs, keras.layers.Dense(2, "softmax", name="scores")(x))


def test_fine_tuning_repairs() -> None:
    x = np.random.default_rng(1).normal(size=(128, 64)).astype(np.float32)
    labels = (x[:, 0] > 0).astype(np.int64)
    untrained, trained = (
        ShareLayers(epochs=epochs, learning_rate=3e-3).apply(_chain(), Data(x, labels)).model for epochs in (0, 20)
    )
    right = [(model.predict(x, verbose=0).argmax(1) == labels).mean() for model in (untrained, trained)]
    assert right[0] < 0.7 < 0.95 < right[1]
    assert len(trained.layers) == 3


def test_int8_has_one_copy() -> None:
    data = Data(np.random.default_rng(1).normal(size=(32, 64)).astype(np.float32))
    sizes = [len(chain.preview(to_int8(each, data))) for each in (_chain(), _share(_chain()))]
    # Three matrices of 4,096 weights and their scales went.
    assert sizes[0] - sizes[1] > 3 * 64 * 64


def test_what_cannot_be_shared_is_refused() -> None:
    with pytest.raises(ModelError, match=r"cannot be one: wide_0 .*scores"):
        _share(_model(), layers=("wide_0", "scores"))
    with pytest.raises(ModelError, match="cannot be one"):
        _share(_model(), layers=("norm_0", "norm_1"))
    with pytest.raises(UnknownNameError, match="wide_9"):
        _share(_model(), layers=("wide_0", "wide_9"))
    with pytest.raises(ModelError, match="no two layers"):
        _share(_model(blocks=1))
