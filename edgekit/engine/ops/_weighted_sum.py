"""A rounded sum of two int8 activations as one integer expression that gives every pair of codes the same output.

What TFLite computes in three roundings is (left * w + right * v + offset) >> shift for well-chosen integers: 65,536
pairs are few enough to check them all when a model is compiled.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

# How far from the nearest integers weights are looked for, nearest first.
_REACH = 5


@dataclass(frozen=True, slots=True)
class WeightedSum:
    """The integers of (left * left_weight + right * right_weight + offset) >> shift; no part leaves int32."""

    left_weight: int
    right_weight: int
    offset: int
    shift: int


def find(left: float, right: float, values: NDArray[Any], limits: tuple[int, int]) -> WeightedSum | None:
    """Find the integers that give each pair of codes its output, clamped to the limits; None where there are none.

    Args:
        left, right: real factors of the codes, about.
        values: the outputs, shape (256, 256): of left codes, of right codes, each from -128 on; within the limits.
        limits: lowest and highest output.

    Example:
        >>> codes = np.arange(-128, 128)
        >>> find(1.0, 1.0, np.clip(codes[:, None] + codes, -128, 127), (-128, 127)) is not None
        True
    """
    # The offset moves the outputs by what the codes' zero points and the output's do: up to 128 * (left + right) + 128.
    room = 2.0**31 / (256 * (abs(left) + abs(right)) + 130)
    shift = min(24, int(np.floor(np.log2(room)))) if room >= 2 else 0
    if shift < 1:
        return None
    codes = np.arange(-128, 128, dtype=np.int64)
    low, high = limits
    floors = np.where(values > low, values.astype(np.int64) << shift, -(2**62))
    ceilings = np.where(values < high, (values.astype(np.int64) + 1 << shift) - 1, 2**62)
    near = sorted(itertools.product(range(-_REACH, _REACH + 1), repeat=2), key=lambda pair: abs(pair[0]) + abs(pair[1]))
    for left_off, right_off in near:
        weights = round(left * 2**shift) + left_off, round(right * 2**shift) + right_off
        sums = codes[:, None] * weights[0] + codes * weights[1]
        first, last = int((floors - sums).max()), int((ceilings - sums).min())
        offset = (first + last) // 2
        if first <= last and 128 * (abs(weights[0]) + abs(weights[1])) + abs(offset) < 2**31:
            return WeightedSum(*weights, offset, shift)
    return None
