"""A line that scales sums as TFLite's two roundings do: the same activation for every sum, in fewer instructions."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

_POINT = 24  # the activation is what stands above these bits
_MOST_BITS = 16


@dataclass(frozen=True, slots=True)
class Line:
    """activation = ((sum - middle) * (whole + fraction / 2**bits) + offset) >> 24, with sum - middle held in reach.

    Attributes:
        middle: of the sums that lie between the clamps.
        whole, fraction, bits: the slope.
        offset: of 32 bits, as the whole value.
        reach: least and largest of sum - middle; beyond them activations are the clamps.
    """

    middle: int
    whole: int
    fraction: int
    bits: int
    offset: int
    reach: tuple[int, int]


def first_sums(multiplier: int, shift: int, zero_point: int, clamps: tuple[int, int]) -> NDArray[np.int64]:
    """Return the least sum for each activation above the low clamp, up to the high one.

    A sum of 0 or more is scaled to floor((sum * multiplier + 2**30 + 2**(30 + shift)) / 2**(31 + shift)) by rounding
    twice; below 0, where halves are rounded away from zero, by one step of the first rounding less.

    Args:
        multiplier: in [2**30, 2**31).
        shift: to the right, >= 1.
        zero_point: of the output.
        clamps: lowest and highest activation.

    Example:
        >>> first_sums(1 << 30, 1, 0, (-2, 2)).tolist()
        [-5, -1, 1, 5]
    """
    steps = np.arange(clamps[0] + 1, clamps[1] + 1, dtype=np.int64) - zero_point
    needed = (steps << (31 + shift)) - (1 << 30) - (1 << (30 + shift))
    positive = -(-needed // multiplier)
    negative = -(-(needed + (1 << 31)) // multiplier)
    firsts: NDArray[np.int64] = np.where(steps > 0, np.maximum(positive, 0), np.minimum(negative, 0))
    return firsts


def find(multiplier: int, shift: int, zero_point: int, clamps: tuple[int, int]) -> Line | None:
    """Return a line that steps at the same sums as the two roundings, or None where 32 bits are too few for one.

    Args: see `first_sums`.
    """
    if clamps[0] >= clamps[1] or multiplier == 0:
        return None
    first = first_sums(multiplier, shift, zero_point, clamps)
    low, high = int(first[0]) - 1, int(first[-1])
    middle = (low + high) // 2
    reach = low - middle, high - middle
    bits = min(_MOST_BITS, 31 - max(-reach[0], reach[1]).bit_length())
    down = 31 + shift - _POINT
    if bits < 1 or low >= high:
        return None
    whole, rest = multiplier >> down, multiplier & ((1 << down) - 1)
    fraction = (rest << bits) >> down

    def line(sums: NDArray[np.int64]) -> NDArray[np.int64]:
        return (sums - middle) * whole + ((sums - middle) * fraction >> bits)

    # It must not have stepped in front of an activation's first sum, must have there, and stays within 32 bits.
    targets = np.arange(clamps[0] + 1, clamps[1] + 1, dtype=np.int64) << _POINT
    ends = line(np.array([low, high], np.int64))
    least = max(int((targets - line(first)).max()), (clamps[0] << _POINT) - int(ends[0]))
    most = min(int((targets - 1 - line(first - 1)).min()), ((clamps[1] + 1) << _POINT) - 1 - int(ends[1]))
    if least > most:
        return None
    return Line(middle, whole, fraction, bits, (least + most) // 2, reach)
