"""Metrics against values worked out by hand, and against scikit-learn where it is installed."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from edgekit import metrics
from edgekit.errors import DataError, UnknownNameError

X = np.zeros((4, 3), np.float32)
SCORES = np.array([[0.9, 0.1], [0.2, 0.8], [0.6, 0.4], [0.3, 0.7]], np.float32)


def value(name: str, outputs: object, y: object, x: object = X) -> float:
    labels = None if y is None else np.asarray(y)
    return metrics.evaluate(name, np.asarray(outputs, np.float32), np.asarray(x, np.float32), labels, Path())


def test_accuracy() -> None:
    assert value("accuracy", SCORES, [0, 1, 1, 1]) == 0.75
    assert value("accuracy", SCORES, np.eye(2)[[0, 1, 1, 1]]) == 0.75
    assert value("accuracy", [[0.9], [0.1], [0.6], [0.4]], [1, 0, 0, 0]) == 0.75


def test_auc_counts_ties_half() -> None:
    assert value("auc", [[0.1], [0.4], [0.35], [0.8]], [0, 0, 1, 1]) == 0.75
    assert value("auc", [[0.5], [0.5], [0.5], [0.5]], [0, 1, 0, 1]) == 0.5


def test_auc_equals_scikit_learn() -> None:
    sklearn_metrics = pytest.importorskip("sklearn.metrics")
    rng = np.random.default_rng(3)
    y = rng.integers(0, 2, 200)
    scores = np.round(rng.normal(y, 1), 1)
    expected = sklearn_metrics.roc_auc_score(y, scores)
    assert value("auc", scores[:, None], y, np.zeros((200, 3))) == pytest.approx(expected, abs=1e-12)


def test_reconstruction_scores_by_its_error() -> None:
    outputs = np.zeros((4, 3), np.float32)
    x = np.array([[0, 0, 0], [1, 0, 0], [3, 0, 0], [0, 3, 1]], np.float32)
    assert value("auc", outputs, [0, 0, 1, 1], x) == 1.0
    assert value("mse", outputs, None, x) == pytest.approx((1 + 9 + 10) / 12)


def test_mse_with_targets() -> None:
    assert value("mse", [[1], [2], [3], [4]], [1, 2, 3, 6]) == 1.0


@pytest.mark.parametrize(
    ("name", "outputs", "y", "message"),
    [
        ("accuracy", SCORES, None, "needs labels"),
        ("accuracy", SCORES, [0, 1, 2, 1], r"class 2, the model knows 0\.\.1"),
        ("accuracy", SCORES, [0, 0.5, 1, 1], "expected class indices"),
        ("accuracy", np.zeros((4, 2, 2)), [0, 1, 0, 1], r"expected \(samples, classes\)"),
        ("auc", [[1], [2], [3], [4]], [0, 0, 0, 0], "expected 0 and 1"),
        ("auc", np.zeros((4, 5)), [0, 1, 0, 1], "expected the input's shape"),
        ("mse", SCORES, [0, 1, 0, 1], "y_test has shape"),
        ("mse", SCORES, None, "needs targets"),
    ],
)
def test_labels_that_do_not_fit(name: str, outputs: object, y: object, message: str) -> None:
    with pytest.raises(DataError, match=message):
        value(name, outputs, y)


def test_unknown_metric_suggests_the_nearest() -> None:
    with pytest.raises(UnknownNameError) as caught:
        metrics.check_metric("acuracy")
    assert "did you mean 'accuracy'" in caught.value.hint


def test_function_of_the_user(tmp_path: Path) -> None:
    (tmp_path / "my_metric.py").write_text(
        "def top(y, outputs): return (outputs.argmax(1) == y).mean()\ndef bad(y, outputs): return y.nothing\n"
    )
    labels = np.array([0, 1, 1, 1])
    assert metrics.evaluate("my_metric:top", SCORES, X, labels, tmp_path) == 0.75
    with pytest.raises(DataError, match=r"my_metric:bad failed: AttributeError"):
        metrics.evaluate("my_metric:bad", SCORES, X, labels, tmp_path)


def test_default_metric_follows_the_models_shape() -> None:
    classes, reals = np.array([0, 1, 0, 1]), np.array([0.5, 1, 2, 3])
    assert metrics.default_metric(SCORES, X, classes) == "accuracy"
    assert metrics.default_metric(SCORES, X, None) is None
    assert metrics.default_metric(X, X, classes) == "auc"
    assert metrics.default_metric(X, X, None) == "mse"
    assert metrics.default_metric(SCORES[:, :1], X, reals) == "mse"


def test_agreement_and_noise() -> None:
    assert metrics.agreement(SCORES, SCORES[:, ::-1], X) == 0.0
    assert metrics.agreement(X, X, X) is None
    assert metrics.sqnr_db(np.float32([[10.0]]), np.float32([[9.0]])) == pytest.approx(20.0)
    assert metrics.sqnr_db(SCORES, SCORES) is None
