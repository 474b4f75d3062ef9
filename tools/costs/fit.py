"""Least squares of relative errors, with costs that are not negative."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

_ROUNDS = 20_000
_FIGURES = 4
# A cost that adds less than this share to every layer is none.
_NOTHING = 2e-3

Floats = NDArray[np.float64]


def costs(numbers: Floats, truth: Floats) -> Floats:
    """Return what each number costs.

    Args:
        numbers: shape (layers, numbers).
        truth: instructions, shape (layers,).
    """
    relative = numbers / truth[:, None]
    kept = np.ones(numbers.shape[1], bool)
    while True:
        found = np.zeros(numbers.shape[1])
        found[kept] = _not_negative(relative[:, kept])
        nothing = kept & ((relative * found).max(axis=0) < _NOTHING)
        if not nothing.any():
            return np.array([float(f"{cost:.{_FIGURES}g}") for cost in found])
        kept &= ~nothing


def error(numbers: Floats, truth: Floats, each: Floats) -> float:
    """Return the root mean square of the relative errors."""
    return float(np.sqrt(np.mean((numbers @ each / truth - 1) ** 2)))


def _not_negative(matrix: Floats) -> Floats:
    """The x >= 0 that minimizes |matrix x - 1|: one coordinate after another, until none moves."""
    size = np.linalg.norm(matrix, axis=0)
    matrix = matrix / np.where(size > 0, size, 1)
    gram, right = matrix.T @ matrix, matrix.sum(axis=0)
    x = np.zeros(len(right))
    for _ in range(_ROUNDS):
        before = x.copy()
        for place in range(len(x)):
            if size[place] > 0:
                x[place] = max(0.0, x[place] + right[place] - gram[place] @ x)
        if np.abs(x - before).max() < 1e-9:
            break
    return x / np.where(size > 0, size, 1)
