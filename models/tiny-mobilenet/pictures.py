"""Handwritten digits as a camera would show them: 32x32 pixels, anywhere, turned, scaled, with clutter and noise."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

SIZE = 32
_SOURCE = 8
# Pixels are 0..16, as scikit-learn's are: with scale 1/16 int8 holds them exactly.
LEVELS = 16
_TURN_DEGREES, _PIXELS, _SHIFT = 20.0, (16.0, 27.0), 5.0
_CONTRAST, _CLUTTER, _SPECKLE = (0.55, 1.0), 3, 0.02
_CHUNK = 1000


def make_pictures(
    originals: NDArray[np.float32], labels: NDArray[np.uint8], count: int, seed: int
) -> tuple[NDArray[np.int8], NDArray[np.uint8]]:
    """Draw pictures, each of a digit taken at random from the originals.

    Args:
        originals: shape (n, 8, 8), values 0..16.
        labels: shape (n,).
        count: number of pictures.
        seed: the same seed gives the same pictures.

    Returns:
        int8, shape (count, 32, 32, 1), values 0..16; and their labels.
    """
    rng = np.random.default_rng(seed)
    chosen = rng.integers(len(originals), size=count)
    parts = [_draw(originals, chosen[start : start + _CHUNK], rng) for start in range(0, count, _CHUNK)]
    return np.concatenate(parts), labels[chosen]


def _draw(originals: NDArray[np.float32], chosen: NDArray[np.int64], rng: np.random.Generator) -> NDArray[np.int8]:
    count = len(chosen)
    turn = np.radians(rng.uniform(-_TURN_DEGREES, _TURN_DEGREES, count))
    center = SIZE / 2 + rng.uniform(-_SHIFT, _SHIFT, (count, 2))
    picture = _placed(originals[chosen], turn, rng.uniform(*_PIXELS, count), center)
    picture *= rng.uniform(*_CONTRAST, (count, 1, 1))
    for _ in range(_CLUTTER):
        picture = np.maximum(picture, _fragment(originals, count, rng))
    hit = rng.random(picture.shape) < _SPECKLE
    picture[hit] = rng.uniform(0, LEVELS, hit.sum())
    return np.clip(np.round(picture), 0, LEVELS).astype(np.int8)[..., np.newaxis]


def _fragment(originals: NDArray[np.float32], count: int, rng: np.random.Generator) -> NDArray[np.float32]:
    """A quarter of some digit, small and near the edge: what a reader has to leave aside."""
    pieces = np.zeros((count, _SOURCE, _SOURCE), np.float32)
    row, column = rng.integers(0, 5, 2)
    pieces[:, 2:6, 2:6] = originals[rng.integers(len(originals), size=count), row : row + 4, column : column + 4]
    angle = rng.uniform(0, 2 * np.pi, count)
    center = SIZE / 2 + 14.5 * np.stack([np.sin(angle), np.cos(angle)], axis=1)
    placed = _placed(pieces, rng.uniform(0, 2 * np.pi, count), rng.uniform(12, 18, count), center)
    return placed * rng.uniform(0.4, 0.9, (count, 1, 1))


def _placed(
    digits: NDArray[np.float32], turn: NDArray[np.float64], pixels: NDArray[np.float64], center: NDArray[np.float64]
) -> NDArray[np.float32]:
    """Turn digits, scale them to a width in pixels and put their middle at `center`; bilinear, zero outside."""
    grid = np.stack(np.meshgrid(np.arange(SIZE), np.arange(SIZE), indexing="ij"), axis=-1) - center[:, None, None] + 0.5
    cos, sin = np.cos(turn)[:, None, None], np.sin(turn)[:, None, None]
    row = cos * grid[..., 0] + sin * grid[..., 1]
    column = cos * grid[..., 1] - sin * grid[..., 0]
    factor = (_SOURCE / pixels)[:, None, None]
    # A border of zeros, so that every neighbor of a pixel exists.
    bordered = np.pad(digits, ((0, 0), (1, 1), (1, 1)))
    at = [np.clip(part * factor + _SOURCE / 2 + 0.5, 0, _SOURCE + 0.999) for part in (row, column)]
    low = [part.astype(np.int64) for part in at]
    (up, left), (y, x) = low, (at[0] - low[0], at[1] - low[1])
    number = np.arange(len(digits))[:, None, None]
    upper = bordered[number, up, left] * (1 - x) + bordered[number, up, left + 1] * x
    lower = bordered[number, up + 1, left] * (1 - x) + bordered[number, up + 1, left + 1] * x
    return (upper * (1 - y) + lower * y).astype(np.float32)
