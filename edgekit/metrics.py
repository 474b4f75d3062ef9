"""How good a model's outputs are, in NumPy alone: accuracy, auc, mse, or a function of the user's."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from edgekit.data import import_function
from edgekit.errors import DataError, UnknownNameError

Floats = NDArray[np.float32]
Labels = NDArray[np.generic]

_NEEDS_LABELS = "put y_test into the data, one label for each sample of x_test"


def metric_names() -> list[str]:
    """Return the names of the metrics that ship.

    Example:
        >>> metric_names()
        ['accuracy', 'auc', 'mse']
    """
    return sorted(_METRICS)


def check_metric(name: str) -> None:
    """Refuse a metric that does not exist, before the long work starts.

    Raises:
        UnknownNameError: neither one that ships nor "module:function".
    """
    if name not in _METRICS and ":" not in name:
        raise UnknownNameError("metric", name, [*_METRICS, "module:function"])


def evaluate(name: str, outputs: Floats, x: Floats, y: Labels | None, base: Path) -> float:
    """Compute a metric.

    Args:
        name: one of `metric_names()`, or "module:function"; the function is called as `function(y, outputs)`.
        outputs: float32, shape (n, *output).
        x: float32, shape (n, *input); reconstruction is measured against it.
        y: labels, first axis n; None where there are none.
        base: folder in which "module:function" is looked up first.

    Returns:
        A finite number.

    Raises:
        DataError: the metric needs labels that are missing or do not fit, or the user's function failed.
        UnknownNameError: no metric of that name.

    Example:
        >>> scores = np.array([[0.1, 0.9], [0.8, 0.2]], np.float32)
        >>> evaluate("accuracy", scores, np.zeros((2, 3), np.float32), np.array([1, 1]), Path())
        0.5
    """
    check_metric(name)
    value = _METRICS[name](outputs, x, y) if name in _METRICS else _user_metric(name, outputs, y, base)
    if not np.isfinite(value):
        raise DataError(f"metric {name} is {value}", hint="check the labels: both classes must occur in y_test")
    return float(value)


def default_metric(outputs: Floats, x: Floats, y: Labels | None) -> str | None:
    """Choose a metric where none is named.

    Reconstruction (output shape = input shape): auc with labels of two kinds, else mse. Other models need labels:
    accuracy for class labels, mse for real ones; None without labels.
    """
    if is_reconstruction(outputs, x):
        return "auc" if y is not None and y.ndim == 1 and len(np.unique(y)) == 2 else "mse"
    if y is None:
        return None
    return "accuracy" if is_classifier(outputs, x) and (y.ndim == 2 or y.dtype.kind in "iub") else "mse"


def is_reconstruction(outputs: Floats, x: Floats) -> bool:
    """Say whether the model gives back its input's shape (an autoencoder)."""
    return outputs.shape == x.shape


def is_classifier(outputs: Floats, x: Floats) -> bool:
    """Say whether the outputs are one score per class."""
    return outputs.ndim == 2 and outputs.shape[1] >= 2 and not is_reconstruction(outputs, x)


def agreement(first: Floats, second: Floats, x: Floats) -> float | None:
    """Return the fraction of samples with the same top-1 class; None where the model is no classifier."""
    if not is_classifier(first, x):
        return None
    return float(np.mean(first.argmax(axis=1) == second.argmax(axis=1)))


def sqnr_db(reference: Floats, values: Floats) -> float | None:
    """Return signal-to-quantization-noise ratio in dB; None where the noise or the signal is zero."""
    signal = float(np.square(reference, dtype=np.float64).sum())
    noise = float(np.square(reference.astype(np.float64) - values).sum())
    return float(10 * np.log10(signal / noise)) if signal > 0 and noise > 0 else None


def _class_indices(y: Labels | None, outputs: Floats, metric: str) -> NDArray[np.int64]:
    if y is None:
        raise DataError(f"metric {metric} needs labels, y_test is missing", hint=_NEEDS_LABELS)
    if y.ndim == 2 and y.shape[1] == outputs.shape[-1] and y.shape[1] > 1:
        one_hot: NDArray[np.int64] = y.astype(np.float64).argmax(axis=1)
        return one_hot
    classes = y.reshape(len(y), -1)
    whole = classes.astype(np.int64)
    if classes.shape[1] != 1 or not np.array_equal(whole, classes):
        raise DataError(
            f"metric {metric}: y_test has shape {list(y.shape)} and dtype {y.dtype}, expected class indices",
            hint="store one whole number a sample, or one-hot rows as wide as the model's output",
        )
    return whole[:, 0]


def _accuracy(outputs: Floats, x: Floats, y: Labels | None) -> float:
    if outputs.ndim != 2 or is_reconstruction(outputs, x):
        raise DataError(
            f"metric accuracy: outputs have shape {list(outputs.shape)}, expected (samples, classes)",
            hint="use auc or mse for a model that is no classifier",
        )
    classes = _class_indices(y, outputs, "accuracy")
    limit = max(2, outputs.shape[1])
    if classes.min() < 0 or classes.max() >= limit:
        raise DataError(
            f"y_test has class {int(classes.max() if classes.max() >= limit else classes.min())}, "
            f"the model knows 0..{limit - 1}",
            hint="number the classes in the order of the model's outputs",
        )
    predicted = outputs.argmax(axis=1) if outputs.shape[1] > 1 else (outputs[:, 0] > 0.5).astype(np.int64)
    return float(np.mean(predicted == classes))


def _mse(outputs: Floats, x: Floats, y: Labels | None) -> float:
    if is_reconstruction(outputs, x):
        return float(np.square(outputs.astype(np.float64) - x).mean())
    if y is None:
        raise DataError("metric mse needs targets, y_test is missing", hint=_NEEDS_LABELS)
    targets = y.astype(np.float64)
    if targets.size != outputs.size:
        raise DataError(
            f"metric mse: y_test has shape {list(y.shape)}, the outputs {list(outputs.shape)}",
            hint="targets must have the model's output shape",
        )
    return float(np.square(outputs - targets.reshape(outputs.shape)).mean())


def _auc(outputs: Floats, x: Floats, y: Labels | None) -> float:
    """Area under the ROC curve: the chance that a positive scores above a negative; ties count half."""
    positive = _class_indices(y, outputs, "auc")
    if not np.array_equal(np.unique(positive), [0, 1]):
        raise DataError(
            f"metric auc: y_test holds {np.unique(positive)[:5].tolist()}, expected 0 and 1, both occurring",
            hint="mark normal samples 0 and anomalies 1",
        )
    scores = _anomaly_scores(outputs, x)
    _, inverse, counts = np.unique(scores, return_inverse=True, return_counts=True)
    # Ranks from 1; equal scores share the mean of their ranks.
    ranks = (np.cumsum(counts) - (counts - 1) / 2)[inverse]
    positives = int(positive.sum())
    negatives = len(positive) - positives
    return float((ranks[positive == 1].sum() - positives * (positives + 1) / 2) / (positives * negatives))


def _anomaly_scores(outputs: Floats, x: Floats) -> NDArray[np.float64]:
    if is_reconstruction(outputs, x):
        errors = np.square(outputs.astype(np.float64) - x)
        mean: NDArray[np.float64] = errors.reshape(len(errors), -1).mean(axis=1)
        return mean
    if outputs.ndim == 2 and outputs.shape[1] <= 2:
        return outputs[:, -1].astype(np.float64)
    raise DataError(
        f"metric auc: outputs have shape {list(outputs.shape[1:])}, expected the input's shape, one score or two",
        hint="use accuracy for a classifier of several classes",
    )


def _user_metric(spec: str, outputs: Floats, y: Labels | None, base: Path) -> float:
    function = import_function(spec, base, "metric")
    try:
        return float(function(y, outputs))
    # The function is the user's: whatever it raises is told, not thrown.
    except Exception as error:
        raise DataError(
            f"metric {spec} failed: {type(error).__name__}: {error}",
            hint="it is called as function(y_test, outputs) and returns one number",
        ) from error


_METRICS: dict[str, Callable[[Floats, Floats, Labels | None], float]] = {
    "accuracy": _accuracy,
    "auc": _auc,
    "mse": _mse,
}
