"""A line that scales sums as TFLite's two roundings do: the same activation for every sum, in fewer instructions."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

_POINT = 24  # the activation is what stands above these bits
_MOST_BITS = 16
# Of compact lines:
_SLOPE_BITS = 28
_REACH_BITS = 11
_OFFSET_BITS = 7
_LARGEST_TWEAK = 1 << 15


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
    steps = _Steps.of(multiplier, shift, zero_point, clamps)
    reach = steps.ends[0] - steps.middle, steps.ends[1] - steps.middle
    bits = min(_MOST_BITS, 31 - max(-reach[0], reach[1]).bit_length())
    found = steps.line(bits, reach) if bits > 0 else None
    if found is None:
        return None
    whole, fraction, (least, most) = found
    return Line(steps.middle, whole, fraction, bits, (least + most) // 2, reach)


def find_compact(multiplier: int, shift: int, zero_point: int, clamps: tuple[int, int]) -> Line | None:
    """Return a line as `find` does that `words` can write: its reach is as far to both sides and has 11 bits, its
    slope 28; and its offset stands on steps around the middle of the activations.
    """
    if clamps[0] >= clamps[1] or multiplier == 0:
        return None
    steps = _Steps.of(multiplier, shift, zero_point, clamps)
    far = steps.ends[1] - steps.middle
    tail = max(0, far.bit_length() - _REACH_BITS)
    far = -(-far >> tail) << tail
    tail += far.bit_length() - tail > _REACH_BITS
    bits = min(_MOST_BITS, 31 - far.bit_length(), _SLOPE_BITS - _POINT + shift)
    found = steps.line(bits, (-far, far)) if bits > 0 else None
    if found is None:
        return None
    whole, fraction, (least, most) = found
    unit, center = _offset_unit(tail), _offset_center(clamps)
    tweak = (((least + most) // 2 - center) + (1 << unit >> 1)) >> unit
    offset = center + (tweak << unit)
    if not least <= offset <= most or abs(tweak) >= _LARGEST_TWEAK:
        return None
    return Line(steps.middle, whole, fraction, bits, offset, (-far, far))


def words(line: Line, clamps: tuple[int, int]) -> tuple[int, int]:
    """Return a compact line but for its middle: the slope with its bits, the reach with the offset.

    Twin: ek_unfold_channel_mac16 of firmware/engine/requantize_sums.mac16.h.
    """
    far = line.reach[1]
    tail = max(0, far.bit_length() - _REACH_BITS)
    tweak = (line.offset - _offset_center(clamps)) >> _offset_unit(tail)
    slope = (line.whole << line.bits | line.fraction) << 4 | (line.bits - 1)
    return slope, (far >> tail) << 21 | tail << 16 | tweak & 0xFFFF


def _offset_unit(tail: int) -> int:
    """How many bits of an offset are not stored: few where activations lie far apart."""
    return max(0, _OFFSET_BITS - tail)


def _offset_center(clamps: tuple[int, int]) -> int:
    return (clamps[0] + clamps[1] + 1) << (_POINT - 1)


@dataclass(frozen=True, slots=True)
class _Steps:
    """Where activations step.

    Attributes:
        slope: multiplier, and the shift to the right that leaves the activation with 24 bits behind the point.
        clamps: lowest and highest activation.
        first: least sum for each activation above the low clamp.
        middle: of the sums that lie between the clamps.
    """

    slope: tuple[int, int]
    clamps: tuple[int, int]
    first: NDArray[np.int64]
    middle: int

    @classmethod
    def of(cls, multiplier: int, shift: int, zero_point: int, clamps: tuple[int, int]) -> _Steps:
        """Args: see `first_sums`."""
        first = first_sums(multiplier, shift, zero_point, clamps)
        middle = (int(first[0]) - 1 + int(first[-1])) // 2
        return cls((multiplier, 31 + shift - _POINT), clamps, first, middle)

    @property
    def ends(self) -> tuple[int, int]:
        """The largest sum of the lowest activation, and the least of the highest."""
        return int(self.first[0]) - 1, int(self.first[-1])

    def line(self, bits: int, reach: tuple[int, int]) -> tuple[int, int, tuple[int, int]] | None:
        """Return the whole slope, its fraction of `bits`, and the least and largest offset that serve."""
        if self.ends[0] >= self.ends[1]:
            return None
        multiplier, down = self.slope
        whole, rest = multiplier >> down, multiplier & ((1 << down) - 1)
        fraction = (rest << bits) >> down

        def line(sums: NDArray[np.int64]) -> NDArray[np.int64]:
            return (sums - self.middle) * whole + ((sums - self.middle) * fraction >> bits)

        # It must not have stepped in front of an activation's first sum, must have there, and stays within 32 bits.
        (low, high), first = self.clamps, self.first
        targets = np.arange(low + 1, high + 1, dtype=np.int64) << _POINT
        ends = line(self.middle + np.array(reach, np.int64))
        least = max(int((targets - line(first)).max()), (low << _POINT) - int(ends[0]))
        most = min(int((targets - 1 - line(first - 1)).min()), ((high + 1) << _POINT) - 1 - int(ends[1]))
        return (whole, fraction, (least, most)) if least <= most else None
