"""Pruning Keras models: masks that hold, and an ordinary model afterwards."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest

from edgekit import targets
from edgekit.compress import Context, LayerChange, OnCore, compress, recipe_from_tables
from edgekit.compress.prune import Prune
from edgekit.data import Data
from edgekit.errors import DataError, ModelError, UnknownNameError, UntrustworthyError, UsageError

pytestmark = pytest.mark.slow

_QUICK = Prune(sparsity=0.5, epochs=2, update_every=2, batch_size=32)


@pytest.fixture(scope="module")
def data() -> Data:
    """Four classes of 8x8 images, told apart by their brightest quarter."""
    rng = np.random.default_rng(0)
    y = np.arange(192) % 4
    x = rng.normal(size=(192, 8, 8, 1)).astype(np.float32)
    for image, label in zip(x, y, strict=True):
        image[label // 2 * 4 : label // 2 * 4 + 4, label % 2 * 4 : label % 2 * 4 + 4] += 1.5
    return Data(x, y, x, y)


@pytest.fixture
def model(keras: ModuleType) -> Iterator[Any]:
    """A small CNN with every kind of kernel, trained enough to be worth keeping."""
    keras.utils.set_random_seed(0)
    layers = keras.layers
    yield keras.Sequential(
        [
            layers.Input((8, 8, 1), name="image"),
            layers.Conv2D(8, 3, strides=2, name="conv"),
            layers.BatchNormalization(momentum=0.9, name="norm"),
            layers.ReLU(name="relu"),
            layers.DepthwiseConv2D(3, padding="same", name="depthwise"),
            layers.Flatten(name="flatten"),
            layers.Dense(9, activation="relu", kernel_constraint=keras.constraints.MaxNorm(2.0), name="hidden"),
            layers.Dense(4, activation="softmax", name="classes"),
        ],
        name="tiny",
    )


def _zeros(model: Any, name: str) -> float:
    return float(np.mean(model.get_layer(name).get_weights()[0] == 0))


@pytest.mark.parametrize("schedule", ["constant", "one_shot", "polynomial", "iterative"])
def test_every_layer_ends_at_its_sparsity(schedule: str, model: Any, data: Data) -> None:
    before = model.get_weights()
    recipe = recipe_from_tables("r", [{"technique": "prune", "sparsity": 0.7, "schedule": schedule, "epochs": 2}])
    seen: list[tuple[str, int, int | None]] = []
    result = compress(model, recipe, data, progress=lambda what, done=0, total=None: seen.append((what, done, total)))
    (step,) = result.steps
    assert [change.name for change in step.layers] == ["conv", "hidden", "classes"]
    for change in step.layers:
        size = model.get_layer(change.name).get_weights()[0].size
        assert change.before == 0 and abs(change.after - 0.7) <= 1 / size
        assert change.after == _zeros(result.model, change.name)
    assert step.skipped[0][0] == "depthwise" and _zeros(result.model, "depthwise") == 0
    assert f"{schedule} schedule, 2 epochs" in step.summary
    assert seen[-2:] == [("prune: training", 12, 12), ("prune: measuring", 0, None)]
    # What came in is as it was, the weights that are left were trained.
    assert all(np.array_equal(a, b) for a, b in zip(before, model.get_weights(), strict=True))
    kept = result.model.get_layer("conv").get_weights()[0]
    assert not np.array_equal(kept[kept != 0], before[0][kept != 0])


def test_what_comes_back_is_an_ordinary_model(model: Any, data: Data, keras: ModuleType, tmp_path: Path) -> None:
    pruned = _QUICK.apply(model, data).model
    assert type(pruned) is type(model) and pruned.get_config() == model.get_config()
    assert [w.name for w in pruned.weights] == [w.name for w in model.weights]
    assert not pruned.compiled
    assert pruned.get_layer("conv").kernel.constraint is None
    assert isinstance(pruned.get_layer("hidden").kernel.constraint, keras.constraints.MaxNorm)
    pruned.save(tmp_path / "pruned.keras")
    loaded = keras.models.load_model(tmp_path / "pruned.keras")
    cloned = keras.models.clone_model(pruned)
    cloned.set_weights(pruned.get_weights())
    for copy in (loaded, cloned):
        assert [_zeros(copy, name) for name in ("conv", "hidden")] == [0.5, 0.5]
        assert np.array_equal(copy(data.x_train[:8]), pruned(data.x_train[:8]))


def test_the_same_seed_gives_the_same_weights(model: Any, data: Data) -> None:
    runs = [_QUICK.apply(model, data).model.get_weights() for _ in range(2)]
    assert all(np.array_equal(a, b) for a, b in zip(*runs, strict=True))


_OPTIMIZERS = {
    "adam": {"learning_rate": 0.01},
    "adamw": {"learning_rate": 0.01},
    "sgd": {"learning_rate": 0.05, "momentum": 0.9},
    "rmsprop": {"learning_rate": 0.003},
    "lion": {"learning_rate": 0.001},
}


@pytest.mark.parametrize("optimizer", _OPTIMIZERS)
@pytest.mark.parametrize("eagerly", [False, True], ids=["compiled", "eager"])
@pytest.mark.parametrize("first_fit", [False, True], ids=["fresh", "after a first fit"])
def test_masks_hold_through_any_training(
    optimizer: str, eagerly: bool, first_fit: bool, model: Any, data: Data, keras: ModuleType
) -> None:
    from edgekit.compress.masks.masks import Masks

    made = keras.optimizers.get({"class_name": optimizer, "config": _OPTIMIZERS[optimizer]})
    model.compile(made, "sparse_categorical_crossentropy", jit_compile=False, run_eagerly=eagerly)
    if first_fit:
        model.fit(data.x_train, data.y_train, verbose=0)
    masks = Masks(model)
    masks.update(0.6)
    held = {kernel.name: kernel.variable.numpy() == 0 for kernel in masks.kernels}
    model.fit(data.x_train, data.y_train, epochs=2, verbose=0)
    masks.verify(0.6)
    masks.strip()
    for kernel in masks.kernels:
        weights = kernel.variable.numpy()
        assert np.array_equal(weights == 0, held[kernel.name])
        # -0.0 compares equal to zero and differs in its bytes.
        assert not np.signbit(weights[weights == 0]).any()


def test_masks_that_training_ignores_are_noticed(model: Any, data: Data, keras: ModuleType) -> None:
    """An optimizer that puts averages in the weights' place after the constraints."""
    from edgekit.compress.masks.masks import Masks

    averaging = keras.optimizers.Adam(0.01, use_ema=True, ema_overwrite_frequency=3)
    model.compile(averaging, "sparse_categorical_crossentropy", jit_compile=False)
    masks = Masks(model)
    masks.update(0.6)
    model.fit(data.x_train, data.y_train, verbose=0)
    with pytest.raises(UntrustworthyError, match="not zero after training"):
        masks.verify(0.6)


@pytest.mark.parametrize(
    ("pattern", "sparsity", "layers"),
    [
        ("1x4", 0.5, ["conv", "classes"]),
        ("3x1", 0.5, ["conv", "hidden", "classes"]),
        ("1:3", 2 / 3, ["conv", "hidden", "classes"]),
        ("1:3x4", 2 / 3, ["conv", "classes"]),
    ],
)
def test_zeros_lie_as_the_pattern_says(
    pattern: str, sparsity: float, layers: list[str], model: Any, data: Data
) -> None:
    """Blocks are zero as a whole; of each group of an N:M pattern exactly N are left, for all outputs of a block."""
    applied = Prune(pattern=pattern, epochs=1, update_every=2).apply(model, data)
    assert [change.name for change in applied.step.layers] == layers
    for change in applied.step.layers:
        kernel = applied.model.get_layer(change.name).get_weights()[0]
        zero = kernel.reshape(-1, kernel.shape[-1]) == 0
        if pattern.startswith("1:3"):
            side_by_side = int(pattern.partition("x")[2] or 1)
            groups = zero.reshape(-1, 3, zero.shape[1] // side_by_side, side_by_side)
            assert (groups.sum(axis=1) == 2).all() and (groups == groups[..., :1]).all()
        else:
            rows, columns = (int(text) for text in pattern.split("x"))
            blocks = zero.reshape(zero.shape[0] // rows, rows, zero.shape[1] // columns, columns).mean(axis=(1, 3))
            assert set(np.unique(blocks)) == {0.0, 1.0}
        assert change.after == pytest.approx(sparsity, abs=0.07)
    assert all(name not in layers for name, reason in applied.step.skipped if "does not divide" in reason)


@pytest.mark.parametrize("name", ["cortex-m4", "esp32c3", "esp32"])
def test_a_core_gets_the_blocks_that_its_kernels_skip(name: str, data: Data, keras: ModuleType) -> None:
    """Seen in the flatbuffer's own order of weights, and told before the training and after it."""
    from edgekit.compress.frame.conversion import to_int8
    from edgekit.engine.forms.blocks.shape import block_shape
    from edgekit.tflite.graph import parse

    layers = keras.layers
    model = keras.Sequential(
        [
            layers.Input((8, 8, 1)),
            layers.Conv2D(8, 4, name="conv"),
            layers.Conv2D(16, 1, activation="relu", name="point"),
            layers.GlobalAveragePooling2D(),
            layers.Dense(4, activation="softmax", name="classes"),
        ]
    )
    told: list[str] = []
    applied = Prune(sparsity=0.75, target=name, epochs=1).apply(
        model, data, Context(lambda what, *_: told.append(what))
    )
    shape = block_shape(targets.load(name).features)
    weights = [tensor for tensor in parse(to_int8(applied.model, data)).tensors if tensor.data is not None]
    kernels = [np.asarray(tensor.data) for tensor in weights if tensor.dtype == "int8" and len(tensor.shape) > 1]
    assert sorted(kernel.size for kernel in kernels) == [64, 128, 128]
    for kernel in kernels:
        blocks = kernel.reshape(len(kernel) // shape.channels, shape.channels, -1, shape.depth)
        kept = (blocks != 0).any(axis=(1, 3))
        assert np.mean(kept) == pytest.approx(0.25, abs=1 / kept.size)
        assert np.mean(kernel == 0) >= 0.75
    core = applied.step.core
    assert core is not None and core.target == name and any(f"{name} from" in line for line in told)
    assert len(core.before) == len(core.predicted) == len(core.after) > 3
    assert all(layer.constants_bytes > 64 for layer in core.after if "conv" in layer.name)
    assert all(layer.instructions for layer in core.predicted if "conv" in layer.name)
    assert core == OnCore.from_json(json.loads(json.dumps(dataclasses.asdict(core))))


def test_a_target_is_one_that_there_is_and_brings_its_own_pattern() -> None:
    with pytest.raises(UnknownNameError, match="cortex-m5"):
        Prune(target="cortex-m5")
    with pytest.raises(UsageError, match="expected one of them"):
        Prune(target="cortex-m4", pattern="1x4")


def test_everywhere_takes_the_smallest_of_all_layers(model: Any, data: Data) -> None:
    applied = Prune(sparsity=0.5, everywhere=True, epochs=1).apply(model, data)
    kernels = [applied.model.get_layer(change.name).get_weights()[0] for change in applied.step.layers]
    zeros, total = sum(int((kernel == 0).sum()) for kernel in kernels), sum(kernel.size for kernel in kernels)
    assert zeros == pytest.approx(total / 2, abs=len(kernels) + 1)
    assert len({round(change.after, 3) for change in applied.step.layers}) > 1


def test_a_mask_of_another_sparsity_is_noticed(model: Any) -> None:
    from edgekit.compress.masks.masks import Masks

    masks = Masks(model)
    masks.update(0.5)
    with pytest.raises(UntrustworthyError, match=r"not the 60\.0% asked for"):
        masks.verify(0.6)


def test_a_classifier_without_labels_is_pruned_without_fine_tuning(model: Any, data: Data) -> None:
    applied = _QUICK.apply(model, Data(data.x_train))
    pruned, step = applied.model, applied.step
    assert ("fine-tuning", "the data has no y_train to train on") in step.skipped
    assert "without fine-tuning" in step.summary
    before, after = model.get_layer("conv").get_weights()[0], pruned.get_layer("conv").get_weights()[0]
    assert np.array_equal(after[after != 0], before[after != 0])
    # The smallest went: none that is left is smaller than one that is gone.
    assert np.abs(before[after == 0]).max() <= np.abs(after[after != 0]).min()


def test_no_sparsity_and_no_epoch_change_nothing(model: Any, data: Data) -> None:
    applied = Prune(sparsity=0.0, epochs=0).apply(model, data)
    pruned, step = applied.model, applied.step
    assert step.layers[0] == LayerChange("conv", "sparsity", 0.0, 0.0)
    assert all(np.array_equal(a, b) for a, b in zip(model.get_weights(), pruned.get_weights(), strict=True))


def test_nested_models_layers_in_layers_and_shared_layers(keras: ModuleType) -> None:
    layers = keras.layers
    inner = keras.Sequential([layers.Input((6,)), layers.Dense(6, name="deep")], name="inner")
    steps = layers.Input((5, 6))
    x = layers.TimeDistributed(inner, name="each")(steps)
    x = layers.LSTM(4, name="lstm")(x)
    shared = layers.Dense(4, name="shared")
    model = keras.Model(steps, shared(shared(x)))
    applied = Prune(sparsity=0.5, epochs=0).apply(model, Data(np.zeros((4, 5, 6), np.float32)))
    pruned, step = applied.model, applied.step
    assert [change.after for change in step.layers] == [0.5] * 4
    names = [change.name for change in step.layers]
    assert names[0] == "deep" and names[-1] == "shared" and names.count("shared") == 1
    assert any("recurrent_kernel" in name for name in names)
    assert [w.name for w in pruned.weights] == [w.name for w in model.weights]


def test_a_subclassed_model(keras: ModuleType, data: Data) -> None:
    class Own(keras.Model):  # type: ignore[misc]  # Keras has no types
        """A classifier that Keras can only copy through a file."""

        def __init__(self, **settings: Any) -> None:
            super().__init__(**settings)
            self.flat, self.dense = keras.layers.Flatten(), keras.layers.Dense(4, name="dense")

        def call(self, x: Any) -> Any:
            return self.dense(self.flat(x))

    model = Own(name="own")
    model(data.x_train[:1])
    applied = _QUICK.apply(model, data)
    pruned, step = applied.model, applied.step
    assert type(pruned) is Own and pruned is not model
    assert [(change.name, change.after) for change in step.layers] == [("dense", 0.5)]


def test_layers_left_out_and_depthwise_taken_in(model: Any, data: Data) -> None:
    step = Prune(epochs=0, leave_out=("conv",), depthwise=True).apply(model, data).step
    assert [change.name for change in step.layers] == ["depthwise", "hidden", "classes"]
    assert step.skipped[0] == ("conv", "left out by the recipe")
    with pytest.raises(UnknownNameError, match="layer 'cnv'") as caught:
        Prune(leave_out=("cnv",)).apply(model, data)
    assert "did you mean 'conv'" in caught.value.hint


def test_models_and_data_that_do_not_fit_are_told_in_words(model: Any, data: Data, keras: ModuleType) -> None:
    with pytest.raises(ModelError, match="no layer"):
        Prune(leave_out=("conv", "hidden", "classes")).apply(model, data)
    with pytest.raises(ModelError, match="never built"):
        _QUICK.apply(keras.Sequential([keras.layers.Dense(2)]), data)
    cases = {
        "the model expects": replace(data, x_train=data.x_train[:, :7]),
        "labels from 0 to 4": replace(data, y_train=np.arange(192) % 5),
        "3 labels for 192": replace(data, y_train=np.arange(3)),
        "labels of shape": replace(data, y_train=np.zeros((192, 3), np.float32)),
        "no sample": Data(data.x_train[:0]),
    }
    for message, bad in cases.items():
        with pytest.raises(DataError, match=message):
            _QUICK.apply(model, bad)


def test_training_that_diverges_is_told_in_words(model: Any, data: Data) -> None:
    broken = replace(data, x_train=np.where(data.x_train > 3, np.float32(np.inf), data.x_train))
    with pytest.raises(ModelError, match="diverged"):
        _QUICK.apply(model, broken)
