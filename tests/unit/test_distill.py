"""Distillation: the losses against their formulas, what a student learns, and what is refused."""

from __future__ import annotations

import dataclasses
import json
import math
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from edgekit.compress import Context, StepResult, recipe_from_tables
from edgekit.compress.distill import Distill
from edgekit.data import Data
from edgekit.errors import DataError, ModelError, UnknownNameError, UsageError

pytestmark = pytest.mark.slow

_QUICK = Distill(epochs=10, batch_size=16, learning_rate=2e-2, features=0.0)


@pytest.fixture(scope="module")
def data() -> Data:
    """Three classes of 6 numbers; the labels are the teacher's task, not this file's."""
    x = np.random.default_rng(0).normal(size=(256, 6)).astype(np.float32)
    return Data(x, (x[:, :3].argmax(axis=1)).astype(np.int32))


def _dense(keras: ModuleType, width: int, layers: int = 4, activation: str | None = "softmax") -> Any:
    stack = [keras.layers.Dense(width, activation="relu", name=f"hidden_{index}") for index in range(layers)]
    return keras.Sequential(
        [keras.Input((6,)), *stack, keras.layers.Dense(3, activation=activation, name="classes")], name=f"net_{width}"
    )


@pytest.fixture(scope="module")
def teacher(keras: ModuleType, data: Data) -> Any:
    keras.utils.set_random_seed(1)
    model = _dense(keras, 32)
    model.compile(keras.optimizers.Adam(5e-3), "sparse_categorical_crossentropy")
    model.fit(data.x_train, data.y_train, epochs=20, verbose=0)
    return model


@pytest.fixture
def untrained(keras: ModuleType) -> Any:
    keras.utils.set_random_seed(2)
    return _dense(keras, 8, layers=1)


def _agreement(one: Any, other: Any, x: NDArray[np.float32]) -> float:
    return float(np.mean(np.asarray(one(x)).argmax(axis=1) == np.asarray(other(x)).argmax(axis=1)))


def test_the_divergence_is_that_of_probabilities(keras: ModuleType) -> None:
    """As Keras computes it when it is given a KLDivergence object; its default applies the formula to raw logits."""
    from edgekit.compress.students.imitation import SoftDivergence

    rng = np.random.default_rng(3)
    teacher, student = (rng.normal(scale=3, size=(16, 5)).astype(np.float32) for _ in range(2))
    ours = float(SoftDivergence(3.0, logits=True)(teacher, student))
    theirs = keras.distillation.LogitsDistillation(temperature=3.0, loss=keras.losses.KLDivergence())
    assert ours == pytest.approx(float(theirs.compute_loss(teacher, student)), rel=1e-4)
    # A constant added to logits changes no probability; on raw logits it would change everything.
    assert ours == pytest.approx(float(SoftDivergence(3.0, logits=True)(teacher + 5, student - 2)), rel=1e-4)
    # From the probabilities alone, without the logits: the same.
    softmax = keras.ops.softmax
    assert ours == pytest.approx(float(SoftDivergence(3.0, logits=False)(softmax(teacher), softmax(student))), rel=1e-3)


def test_the_divergence_of_one_output_is_that_of_yes_and_no(keras: ModuleType) -> None:
    from edgekit.compress.students.imitation import SoftDivergence

    loss = SoftDivergence(1.0, logits=False)
    expected = 0.9 * math.log(0.9 / 0.6) + 0.1 * math.log(0.1 / 0.4)
    assert float(loss(np.array([[0.9]]), np.array([[0.6]]))) == pytest.approx(expected, rel=1e-5)
    logit = SoftDivergence(1.0, logits=True)
    odds = np.log(np.array([[9.0]])), np.log(np.array([[1.5]]))
    assert float(logit(*odds)) == pytest.approx(expected, rel=1e-5)


@pytest.mark.parametrize("activation", ["softmax", None])
def test_a_student_follows_its_teacher_without_labels(
    activation: str | None, teacher: Any, keras: ModuleType, data: Data
) -> None:
    """Of probabilities by their divergence; of other values by squares."""
    keras.utils.set_random_seed(4)
    source = teacher
    if activation is None:
        source = _dense(keras, 32, activation=None)
        source.set_weights(teacher.get_weights())
    student = _dense(keras, 12, layers=1, activation=activation)
    before = student.get_weights()
    applied = _QUICK.apply(student, Data(data.x_train), Context(teacher=source))
    assert _agreement(applied.model, source, data.x_train) > 0.9 > _agreement(student, source, data.x_train) + 0.2
    assert any(name == "labels" for name, _ in applied.step.skipped)
    assert all(np.array_equal(a, b) for a, b in zip(before, student.get_weights(), strict=True))
    assert not applied.model.compiled


def test_labels_and_teacher_share_the_loss(teacher: Any, untrained: Any, keras: ModuleType, data: Data) -> None:
    """With labels that contradict the teacher, the share decides whom the student follows."""
    assert data.y_train is not None
    contrary = Data(data.x_train, (data.y_train + 1) % 3)
    context = Context(teacher=teacher)
    follows = [
        _agreement(
            dataclasses.replace(_QUICK, from_teacher=share).apply(untrained, contrary, context).model,
            teacher,
            data.x_train,
        )
        for share in (1.0, 0.0)
    ]
    assert follows[0] > 0.8 and follows[1] < 0.3


def test_the_teacher_runs_once(keras: ModuleType, data: Data, untrained: Any) -> None:
    calls = []

    @keras.saving.register_keras_serializable("test_distill")
    class Counting(keras.layers.Layer):  # type: ignore[misc, name-defined]  # Keras has no types
        def call(self, inputs: Any) -> Any:
            calls.append(inputs.shape[0] or 0)
            return inputs

    counted = keras.Sequential([keras.Input((6,)), Counting(), *_dense(keras, 8).layers])
    calls.clear()
    dataclasses.replace(_QUICK, epochs=5).apply(untrained, data, Context(teacher=counted))
    assert sum(calls) == len(data.x_train)


def test_features_are_followed_through_a_projection(teacher: Any, keras: ModuleType, data: Data) -> None:
    """Only the features teach: the student's last hidden layer then explains the teacher's, linearly."""
    keras.utils.set_random_seed(5)
    student = _dense(keras, 16, layers=2)
    settings = dataclasses.replace(_QUICK, from_teacher=0.0, features=1.0)
    pairs = ("hidden_3 -> hidden_1",)
    applied = dataclasses.replace(settings, feature_layers=pairs).apply(
        student, Data(data.x_train), Context(teacher=teacher)
    )

    def unexplained(model: Any) -> float:
        wanted = np.asarray(keras.Model(teacher.inputs, teacher.get_layer("hidden_3").output)(data.x_train))
        given = np.asarray(keras.Model(model.inputs, model.get_layer("hidden_1").output)(data.x_train))
        given = np.concatenate([given, np.ones((len(given), 1))], axis=1)
        fitted = given @ np.linalg.lstsq(given, wanted, rcond=None)[0]
        return float(np.square(wanted - fitted).mean() / np.square(wanted).mean())

    assert unexplained(applied.model) < 0.7 * unexplained(student)
    assert [layer.name for layer in applied.model.layers] == [layer.name for layer in student.layers]


def test_attention_maps_of_convolutions_are_followed(keras: ModuleType) -> None:
    """The teacher looks at the left half; its student comes to look there too."""
    from edgekit.compress.students.imitation import _map

    keras.utils.set_random_seed(6)
    x = np.random.default_rng(7).normal(size=(64, 6, 6, 1)).astype(np.float32)
    x[:, :, :3] *= 3

    def net(filters: int) -> Any:
        conv = keras.layers.Conv2D(filters, 3, padding="same", name="conv")
        return keras.Sequential(
            [keras.Input((6, 6, 1)), conv, keras.layers.GlobalAveragePooling2D(), keras.layers.Dense(2, name="out")]
        )

    teacher, student = net(8), net(4)
    teacher.get_layer("conv").kernel.assign(np.broadcast_to(np.eye(3)[:, :, None, None], (3, 3, 1, 8)))
    settings = dataclasses.replace(_QUICK, from_teacher=0.0, attention=1.0, attention_layers=("conv",))
    after = settings.apply(student, Data(x), Context(teacher=teacher)).model

    def distance(model: Any) -> float:
        maps = [_map(np.asarray(net.get_layer("conv")(x)), "conv") for net in (teacher, model)]
        return float(np.square(np.asarray(maps[0]) - np.asarray(maps[1])).sum(axis=1).mean())

    assert distance(after) < 0.5 * distance(student)


def _attentive(keras: ModuleType, heads: int) -> Any:
    inputs = keras.Input((5, 8))
    attended = keras.layers.MultiHeadAttention(heads, 4, name="attention")(inputs, inputs)
    return keras.Model(inputs, keras.layers.Dense(2, name="out")(keras.layers.GlobalAveragePooling1D()(attended)))


def test_attention_scores_are_followed(keras: ModuleType) -> None:
    keras.utils.set_random_seed(8)
    x = np.random.default_rng(9).normal(size=(64, 5, 8)).astype(np.float32)
    teacher, student = _attentive(keras, 2), _attentive(keras, 1)
    kernel = teacher.get_layer("attention").query_dense.kernel
    kernel.assign(3 * kernel)
    settings = dataclasses.replace(_QUICK, from_teacher=0.0, attention=1.0, attention_layers=("attention",))
    config = student.get_config()
    after = settings.apply(student, Data(x), Context(teacher=teacher)).model
    assert student.get_config() == config and after.get_config() == config

    def scores(model: Any) -> NDArray[np.float32]:
        return np.asarray(model.get_layer("attention")(x, x, return_attention_scores=True)[1]).mean(axis=1)

    far, near = (np.square(scores(model) - scores(teacher)).mean() for model in (student, after))
    assert near < 0.5 * far


def test_half_of_the_layers_from_a_recipe(teacher: Any, data: Data, keras: ModuleType) -> None:
    table = {"technique": "distill", "student": "half_layers", "epochs": 2, "features": 0.5}
    before = teacher.get_weights()
    (technique,) = recipe_from_tables("half", [table]).steps
    result = technique.apply(teacher, data)
    # The first hidden layer takes 6 numbers, so three of four are equal: of these, two stay.
    assert [layer.name for layer in result.model.layers] == ["hidden_0", "hidden_1", "hidden_3", "classes"]
    step = result.step
    assert [(change.name, change.after) for change in step.layers] == [("hidden_2", 0)]
    assert StepResult.from_json(json.loads(json.dumps(dataclasses.asdict(step)))) == step
    assert all(np.array_equal(a, b) for a, b in zip(before, teacher.get_weights(), strict=True))


def test_files_give_teacher_and_student(teacher: Any, untrained: Any, data: Data, tmp_path: Path) -> None:
    teacher.save(tmp_path / "teacher.keras")
    untrained.save(tmp_path / "student.keras")
    kept = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    settings = dataclasses.replace(
        _QUICK, teacher=str(tmp_path / "teacher.keras"), student=str(tmp_path / "student.keras")
    )
    applied = settings.apply(untrained, data)
    assert _agreement(applied.model, teacher, data.x_train) > 0.8
    assert kept == {path.name: path.read_bytes() for path in tmp_path.iterdir()}


def test_a_training_that_was_killed_ends_with_the_same_weights(teacher: Any, data: Data, tmp_path: Path) -> None:
    """With projections, whose weights are drawn by the seed too."""
    settings = Distill(student="narrower", epochs=3, features=1.0, seed=4)
    whole = settings.apply(teacher, data, Context(teacher=teacher)).model

    def interrupt(stage: str, done: float, total: float) -> None:
        if done > 0.7 * total:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        settings.apply(teacher, data, Context(interrupt, teacher, checkpoint=tmp_path))
    assert list(tmp_path.iterdir())
    resumed = settings.apply(teacher, data, Context(teacher=teacher, checkpoint=tmp_path)).model
    assert all(np.array_equal(a, b) for a, b in zip(whole.get_weights(), resumed.get_weights(), strict=True))


def test_a_subclassed_teacher_teaches_by_its_outputs(
    keras: ModuleType, data: Data, untrained: Any, teacher: Any
) -> None:
    @keras.saving.register_keras_serializable("test_distill")
    class Own(keras.Model):  # type: ignore[misc, name-defined]  # Keras has no types
        def __init__(self, **options: Any) -> None:
            super().__init__(**options)
            self.inner = keras.Sequential.from_config(teacher.get_config())

        def call(self, inputs: Any) -> Any:
            return self.inner(inputs)

    own = Own()
    own(data.x_train[:1])
    own.inner.set_weights(teacher.get_weights())
    applied = dataclasses.replace(_QUICK, features=1.0).apply(untrained, data, Context(teacher=own))
    assert _agreement(applied.model, teacher, data.x_train) > 0.8
    assert any(name == "features" for name, _ in applied.step.skipped)


def test_no_epochs_is_reported(teacher: Any, data: Data) -> None:
    applied = Distill(student="narrower", width=0.5, epochs=0).apply(teacher, data)
    assert applied.step.skipped == (("training", "epochs is 0"),)
    assert applied.model.get_layer("hidden_0").units == 16


def test_what_does_not_fit_is_refused(
    teacher: Any, untrained: Any, data: Data, keras: ModuleType, tmp_path: Path
) -> None:
    other = keras.Sequential([keras.Input((6,)), keras.layers.Dense(5)])
    with pytest.raises(UsageError, match=r"teacher's output is \[5\], the student's \[3\]"):
        _QUICK.apply(untrained, data, Context(teacher=other))
    with pytest.raises(UsageError, match="neither a teacher nor a student"):
        _QUICK.apply(untrained, data)
    context = Context(teacher=teacher)
    with pytest.raises(UnknownNameError, match="hiden_3"):
        dataclasses.replace(_QUICK, features=1.0, feature_layers=("hiden_3 -> hidden_0",)).apply(
            untrained, data, context
        )
    with pytest.raises(DataError, match="nothing to learn from"):
        dataclasses.replace(_QUICK, from_teacher=0.0).apply(untrained, Data(data.x_train), context)
    with pytest.raises(UsageError, match=r"missing\.keras"):
        dataclasses.replace(_QUICK, teacher=str(tmp_path / "missing.keras")).apply(untrained, data)
    with pytest.raises(UsageError, match="no places"):
        dataclasses.replace(_QUICK, attention=1.0, attention_layers=("hidden_0",)).apply(untrained, data, context)


def test_a_loss_that_is_no_number_is_refused(teacher: Any, untrained: Any, data: Data, keras: ModuleType) -> None:
    spoiled = keras.Sequential.from_config(teacher.get_config())
    spoiled.set_weights([np.full_like(weight, np.nan) for weight in teacher.get_weights()])
    with pytest.raises(ModelError, match=r"teacher .* NaN"):
        _QUICK.apply(untrained, data, Context(teacher=spoiled))
    huge = Data(np.full_like(data.x_train, 1e38), data.y_train)
    with pytest.raises(ModelError, match=r"NaN|diverged"):
        dataclasses.replace(_QUICK, from_teacher=0.0).apply(untrained, huge, Context(teacher=teacher))
