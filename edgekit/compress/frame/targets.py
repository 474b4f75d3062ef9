"""Which targets and loss a model and its data call for."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import keras
import numpy as np
from numpy.typing import NDArray

from edgekit.errors import DataError

if TYPE_CHECKING:
    from edgekit.data import Data

_PROBE_SAMPLES = 64


@dataclass(frozen=True, slots=True, eq=False)
class Targets:
    """What fine-tuning trains on.

    Attributes:
        x: samples, float32, shape (n, *input).
        y: targets, first axis n; None when `reason` is given.
        loss: a Keras loss; None when `reason` is given.
        reason: why there is no fine-tuning; None where there is.
    """

    x: NDArray[np.float32]
    y: NDArray[Any] | None = None
    loss: Any = None
    reason: str | None = None

    @property
    def skipped(self) -> tuple[tuple[str, str], ...]:
        """What a report says was left out: the fine-tuning, where there is a reason."""
        return () if self.reason is None else (("fine-tuning", self.reason),)

    def told(self, epochs: int) -> str:
        """Return what a summary says of the fine-tuning."""
        return f"{epochs} epochs of fine-tuning" if self.reason is None else f"without fine-tuning: {self.reason}"


def targets(model: keras.Model, data: Data, *, epochs: int) -> Targets:
    """Derive targets and loss from the data and the model's output.

    Integer labels call for cross-entropy (from logits when the outputs are not probabilities); an output of
    the input's shape for reconstruction (mean squared error); labels of the output's shape for the model's
    own compiled loss, else categorical cross-entropy on probabilities, else mean squared error.

    Args:
        model: one input, one output; compiled or not.
        data: its training part.
        epochs: 0 means that no fine-tuning is wanted.

    Returns:
        The targets, or the reason why there is none.

    Raises:
        DataError: samples or labels do not fit the model.
    """
    x, y = data.x_train, data.y_train
    if epochs == 0:
        return Targets(x, reason="epochs is 0")
    if len(_ends(model, "inputs")) > 1 or len(_ends(model, "outputs")) > 1:
        return Targets(x, reason="the model has several inputs or outputs")
    if len(x) == 0:
        raise DataError("x_train has no sample", hint="fine-tuning needs training samples; or set epochs = 0")
    probe = _probe(model, x)
    if y is not None and len(y) != len(x):
        raise DataError(f"y_train has {len(y)} labels for {len(x)} samples of x_train", hint="give one label a sample")
    reconstructs = probe.shape[1:] == x.shape[1:] and not are_probabilities(probe)
    if reconstructs and (y is None or y.ndim == 1):
        return Targets(x, y=x, loss=keras.losses.MeanSquaredError())
    if y is None:
        return Targets(x, reason="the data has no y_train to train on")
    return Targets(x, y=y, loss=_loss(model, probe, y))


def _ends(model: keras.Model, name: str) -> tuple[Any, ...]:
    """Return the model's inputs or outputs; a subclassed model does not know its own."""
    return tuple(getattr(model, name, None) or ())


def _probe(model: keras.Model, x: NDArray[np.float32]) -> NDArray[np.float32]:
    """Run a few samples; a shape that does not fit ends here, in words."""
    expected = model.input_shape if _ends(model, "inputs") else (None, *x.shape[1:])
    fits = len(expected) == x.ndim and all(a in (None, b) for a, b in zip(expected[1:], x.shape[1:], strict=True))
    if not fits:
        raise DataError(
            f"x_train has samples of shape {x.shape[1:]}, the model expects {tuple(expected[1:])}",
            hint="reshape the samples to the model's input",
        )
    return np.asarray(keras.ops.convert_to_numpy(model(x[:_PROBE_SAMPLES], training=False)))


def _loss(model: keras.Model, outputs: NDArray[np.float32], y: NDArray[Any]) -> Any:
    """Choose the loss for labels `y` and outputs of shape (samples, ..., classes)."""
    labels = y[..., 0] if y.ndim == outputs.ndim and y.shape[-1] == 1 else y
    classes = outputs.shape[-1]
    allowed = max(classes, 2)
    is_integer = np.issubdtype(y.dtype, np.integer) or y.dtype == np.bool_
    if is_integer and labels.shape[1:] == outputs.shape[1:-1]:
        if labels.min() < 0 or labels.max() >= allowed:
            raise DataError(
                f"y_train has labels from {labels.min()} to {labels.max()}, the model has {allowed} classes",
                hint="labels count from 0 to the number of classes less one",
            )
        if classes == 1:
            in_unit_range = bool(outputs.min() >= 0 and outputs.max() <= 1)
            return keras.losses.BinaryCrossentropy(from_logits=not in_unit_range)
        return keras.losses.SparseCategoricalCrossentropy(from_logits=not are_probabilities(outputs))
    if y.shape[1:] != outputs.shape[1:]:
        raise DataError(
            f"y_train has labels of shape {y.shape[1:]}, the model's output has {outputs.shape[1:]}",
            hint="give integer class labels, or targets of the output's shape",
        )
    own = getattr(model, "loss", None) if model.compiled else None
    if own is not None:
        return own
    one_hot = bool(np.allclose(y.sum(axis=-1), 1)) and are_probabilities(outputs)
    return keras.losses.CategoricalCrossentropy() if one_hot else keras.losses.MeanSquaredError()


def are_probabilities(outputs: NDArray[np.float32]) -> bool:
    """True when every row is a distribution: judged by what comes out, so that any last layer will do."""
    return outputs.shape[-1] > 1 and bool(outputs.min() >= 0) and bool(np.allclose(outputs.sum(axis=-1), 1, atol=1e-3))
