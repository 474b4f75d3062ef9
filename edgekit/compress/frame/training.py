"""Fine-tuning: the one training loop of all techniques, with checkpoints from which it goes on to the same bytes."""

# ruff: noqa: ARG002 - Keras calls callbacks by these names, used or not

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import keras
import numpy as np
from numpy.typing import NDArray

from edgekit.compress.frame.checkpoint import Checkpoint
from edgekit.compress.frame.fine_tuning import FineTuning as FineTuning
from edgekit.compress.frame.targets import Targets as Targets
from edgekit.compress.frame.targets import are_probabilities
from edgekit.compress.frame.targets import targets as targets
from edgekit.errors import ModelError
from edgekit.progress import Progress

if TYPE_CHECKING:
    from edgekit.compress.frame.step import Context

_WARM_UP = 0.05
_LAST_RATE = 0.01
_BATCH = 256


class Hook:
    """What a technique does between training steps; override what is needed."""

    def before_step(self, step: int, steps: int) -> None:
        """Called before training step `step` of `steps`, counted from 0."""

    def after_step(self, step: int, steps: int) -> None:
        """Called after training step `step` of `steps`, counted from 0."""

    def after_epoch(self) -> None:
        """Called after each epoch, before the checkpoint is written."""

    def state(self) -> dict[str, NDArray[Any]]:
        """Return what a checkpoint has to keep beside the model's variables."""
        return {}

    def restore(self, state: dict[str, NDArray[Any]]) -> None:
        """Take back what `state` returned."""


def fine_tune(
    model: keras.Model,
    goal: Targets,
    settings: FineTuning,
    context: Context,
    *,
    name: str,
    hooks: Sequence[Hook] = (),
) -> None:
    """Train a model in place on its own task, and on its teacher's outputs where the settings say so.

    Args:
        model: one input, one output; changed in place, compiled afterwards.
        goal: samples, targets and loss; its `reason` is None.
        settings: epochs, rate, batch, seed, share of the teacher.
        context: progress, teacher, checkpoint.
        name: what the progress bar says; the name of the checkpoint.
        hooks: called between the steps.

    Raises:
        ModelError: the loss or a weight is no longer a finite number.
    """
    y, loss = goal.y, goal.loss
    if settings.from_teacher > 0 and context.teacher is not None:
        y, loss = _with_teacher(context.teacher, goal, settings)
    fit(model, goal.x, y, loss, settings, context, name=name, hooks=hooks)


def fit(
    trainee: keras.Model,
    x: Any,
    y: Any,
    loss: Any,
    settings: FineTuning,
    context: Context,
    *,
    name: str,
    hooks: Sequence[Hook] = (),
    loss_weights: Any = None,
) -> None:
    """Train any Keras model in place: Adam, warm-up over the first steps, then a cosine to a hundredth.

    Samples are shuffled anew in each epoch, by the seed and the epoch's number alone; with the variables of model,
    optimizer and dropout from the checkpoint, a training that was killed ends with the same weights.

    Args:
        trainee: a built model; changed in place.
        x: samples, or a list of arrays for several inputs; first axis n.
        y: targets, or a list of arrays for several outputs; first axis n.
        loss: a Keras loss, or one for each output.
        settings: epochs, rate, batch, seed.
        context: progress and checkpoint.
        name: what the progress bar says; the name of the checkpoint.
        hooks: called between the steps.
        loss_weights: one number for each output.

    Raises:
        ModelError: the loss or a weight is no longer a finite number.
    """
    keras.utils.set_random_seed(settings.seed)
    arrays = [*_listed(x), *_listed(y)]
    samples = len(arrays[0])
    batch_size = min(settings.batch_size, samples)
    steps = settings.epochs * math.ceil(samples / batch_size)
    if steps == 0:
        return
    optimizer = keras.optimizers.Adam(_rate(settings.learning_rate, steps))
    trainee.compile(optimizer=optimizer, loss=loss, loss_weights=loss_weights, jit_compile=False)
    optimizer.build(trainee.trainable_variables)
    _seed_dropout(trainee, settings.seed)
    checkpoint = Checkpoint(context.checkpoint, name, [*trainee.variables, *optimizer.variables], hooks)
    first = checkpoint.restore()
    watch = _Watch(name, first * math.ceil(samples / batch_size), steps, hooks, settings, context.progress)
    for epoch in range(first, settings.epochs):
        order = np.random.default_rng((settings.seed, epoch)).permutation(samples)
        trainee.fit(
            _rows(x, order), _rows(y, order), batch_size=batch_size, shuffle=False, verbose=0, callbacks=[watch]
        )
        checkpoint.save(epoch + 1)


def _seed_dropout(model: keras.Model, seed: int) -> None:
    """Set the random state of each layer: Keras draws it anew whenever a layer is made."""
    weights = {id(variable) for variable in model.weights}
    states = [variable for variable in model.variables if id(variable) not in weights and "seed" in variable.name]
    for index, state in enumerate(states):
        state.assign(np.array([seed + index, 0], state.dtype))


def _listed(arrays: Any) -> list[Any]:
    return list(arrays) if isinstance(arrays, list | tuple) else [arrays]


def _rows(arrays: Any, order: NDArray[np.int64]) -> Any:
    return [array[order] for array in arrays] if isinstance(arrays, list | tuple) else arrays[order]


def _rate(learning_rate: float, steps: int) -> Any:
    """Rise over the first twentieth of the steps, then fall along a cosine."""
    rising = max(1, round(_WARM_UP * steps))
    return keras.optimizers.schedules.CosineDecay(
        learning_rate * _WARM_UP,
        max(1, steps - rising),
        alpha=_LAST_RATE,
        warmup_target=learning_rate,
        warmup_steps=rising,
    )


class _Watch(keras.callbacks.Callback):  # type: ignore[misc]  # Keras has no types
    """Calls the hooks, tells the progress, and stops at a loss or weight that is not a number."""

    def __init__(
        self, name: str, step: int, steps: int, hooks: Sequence[Hook], settings: FineTuning, progress: Progress
    ) -> None:
        super().__init__()
        self._name, self._step, self._steps = name, step, steps
        self._hooks, self._rate, self._progress = hooks, settings.learning_rate, progress

    def on_train_batch_begin(self, batch: int, logs: Any = None) -> None:
        for hook in self._hooks:
            hook.before_step(self._step, self._steps)

    def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
        for hook in self._hooks:
            hook.after_step(self._step, self._steps)
        self._step += 1
        loss = (logs or {}).get("loss", 0.0)
        if not math.isfinite(loss):
            raise self._diverged(f"the loss is {loss}")
        self._progress(f"{self._name}: training", self._step, self._steps)

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        # The loss alone would not tell: ReLU turns NaN into 0 on some processors.
        for variable in self.model.weights:
            if not np.isfinite(keras.ops.convert_to_numpy(variable)).all():
                raise self._diverged(f"{variable.path} holds NaN or infinity")
        for hook in self._hooks:
            hook.after_epoch()

    def _diverged(self, what: str) -> ModelError:
        return ModelError(
            f"fine-tuning diverged: {what} after step {self._step} of {self._steps}",
            hint=f"lower learning_rate (now {self._rate:g}), and check the training data",
        )


@dataclass(frozen=True, slots=True, eq=False)
class _Blend:
    """A loss on targets and teacher outputs that lie side by side in the last axis.

    Attributes:
        loss: on the targets.
        columns: of the targets.
        squeeze: the targets are class numbers, without an axis of their own.
        share: of the teacher, 0..1.
        temperature: divides the logits of both (Hinton et al. 2015, section 2).
        classes: the outputs are distributions, or logits of some; else the teacher is matched by squares.
        logits: the outputs are logits.
    """

    loss: Any
    columns: int
    squeeze: bool
    share: float
    temperature: float
    classes: bool
    logits: bool

    def __call__(self, y_true: Any, y_pred: Any) -> Any:
        own, teacher = y_true[..., : self.columns], y_true[..., self.columns :]
        first = self.loss(own[..., 0] if self.squeeze else own, y_pred)
        return (1 - self.share) * first + self.share * self._distance(teacher, y_pred)

    def _distance(self, teacher: Any, student: Any) -> Any:
        if not self.classes:
            return keras.ops.mean(keras.ops.square(teacher - student))
        softened = [keras.ops.log_softmax(self._scores(outputs) / self.temperature) for outputs in (teacher, student)]
        divergence = keras.ops.sum(keras.ops.exp(softened[0]) * (softened[0] - softened[1]), axis=-1)
        return keras.ops.mean(divergence) * self.temperature**2

    def _scores(self, outputs: Any) -> Any:
        return outputs if self.logits else keras.ops.log(keras.ops.clip(outputs, 1e-7, 1.0))


def _with_teacher(teacher: keras.Model, goal: Targets, settings: FineTuning) -> tuple[NDArray[np.float32], _Blend]:
    """Put the teacher's outputs, computed once, beside the targets."""
    assert goal.y is not None
    outputs = np.asarray(teacher.predict(goal.x, batch_size=_BATCH, verbose=0), np.float32)
    own = goal.y[..., np.newaxis] if goal.y.ndim < outputs.ndim else goal.y
    categorical = keras.losses.SparseCategoricalCrossentropy | keras.losses.CategoricalCrossentropy
    blend = _Blend(
        loss=goal.loss,
        columns=own.shape[-1],
        squeeze=goal.y.ndim < outputs.ndim,
        share=settings.from_teacher,
        temperature=settings.temperature,
        classes=isinstance(goal.loss, categorical),
        logits=not are_probabilities(outputs),
    )
    return np.concatenate([own.astype(np.float32), outputs], axis=-1), blend
