"""Batch normalization statistics, measured anew on data.

The statistics that training leaves behind are a running average: they lag behind the weights, the more so the
shorter the training was (at Keras's momentum of 0.99 it takes some 500 steps to forget the old ones).
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import keras
import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from edgekit.compress.frame.targets import Targets

# Statistics of fewer samples are worse than those that training left.
_FEWEST_SAMPLES = 64


def recalibrate(model: keras.Model, x: NDArray[np.float32], batch_size: int) -> None:
    """Set the moving mean and variance of every BatchNormalization to their averages over the batches of `x`.

    Dropout and other layers that behave differently in training stay as in inference. A layer whose `trainable`
    is False keeps its statistics: whoever froze it wants them.

    Args:
        model: any built model with one input; changed in place.
        x: samples, shape (n, *input), n >= 1.
        batch_size: samples a batch, at least 1; a last batch that is not full is left out, unless it is the only one.

    Example:
        >>> model = keras.Sequential([keras.Input((1,)), keras.layers.BatchNormalization()])
        >>> recalibrate(model, np.array([[1.0], [3.0]], np.float32), batch_size=32)
        >>> [float(value[0]) for value in model.layers[0].get_weights()]
        [1.0, 0.0, 2.0, 1.0]

    Source:
        Wu and Johnson 2021, "Rethinking 'Batch' in BatchNorm", arXiv:2105.07576, section 3: precise statistics.
    """
    norms = [layer for layer in model._flatten_layers() if isinstance(layer, keras.layers.BatchNormalization)]
    if not norms:
        return
    starts = range(0, max(len(x) - batch_size, 0) + 1, batch_size)
    with _measuring(norms):
        for number, start in enumerate(starts):
            for norm in norms:
                # The plain average of all batches so far: the first counts whole, the second half, ...
                norm.momentum = number / (number + 1)
            model(x[start : start + batch_size], training=False)


def settle(model: keras.Model, goal: Targets, batch_size: int, *, wanted: bool) -> tuple[tuple[str, str], ...]:
    """End a pruning: measure the statistics anew where that can be done.

    Args:
        model: changed in place.
        goal: its samples are used, its reason against fine-tuning is told.
        batch_size: samples a batch.
        wanted: False leaves the statistics as they are.

    Returns:
        (stage, reason) of what was left out.
    """
    skipped = () if goal.reason is None else (("fine-tuning", goal.reason),)
    if not wanted:
        return (*skipped, ("recalibration", "recalibrate is false"))
    if not takes(model, goal.x) or len(goal.x) < _FEWEST_SAMPLES:
        return (
            *skipped,
            ("recalibration", f"it needs {_FEWEST_SAMPLES} samples in x_train, and a model that takes them"),
        )
    recalibrate(model, goal.x, batch_size)
    return skipped


def takes(model: keras.Model, x: NDArray[np.float32]) -> bool:
    """True where a model has one input and samples of its shape are there."""
    if len(model.inputs) != 1 or len(x) == 0:
        return False
    shape = model.inputs[0].shape
    return len(shape) == x.ndim and all(size in (None, own) for size, own in zip(shape[1:], x.shape[1:], strict=True))


@contextlib.contextmanager
def _measuring(norms: list[Any]) -> Iterator[None]:
    """Let these layers, and no others, run as in training."""
    momenta = [norm.momentum for norm in norms]
    for norm in norms:
        norm.call = _training_call(norm.call)
    try:
        yield
    finally:
        for norm, momentum in zip(norms, momenta, strict=True):
            norm.momentum = momentum
            del norm.call


def _training_call(call: Any) -> Any:
    def trained(inputs: Any, training: bool | None = None, mask: Any = None) -> Any:  # noqa: ARG001
        return call(inputs, training=True, mask=mask)

    return trained
