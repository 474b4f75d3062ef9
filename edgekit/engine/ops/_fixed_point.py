"""TFLite's fixed-point arithmetic on single integers: what kernels compute at run time, for tables made at build time.

Qm numbers are int32 with m integer bits and 31 - m fraction bits. Source: Jacob et al. 2018, arXiv:1712.05877, and the
roundings of TFLite's reference kernels.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

INT32_MAX = 2**31 - 1
INT32_MIN = -(2**31)


def wrapped(value: int, bits: int = 32) -> int:
    """Return the signed integer that the low bits of `value` mean.

    Example:
        >>> wrapped(2**31), wrapped(40000, 16)
        (-2147483648, -25536)
    """
    half = 1 << (bits - 1)
    return ((value + half) & ((1 << bits) - 1)) - half


def clamped(value: int, low: int, high: int) -> int:
    """Return the nearest value in [low, high]."""
    return max(low, min(high, value))


def multiply_high(a: int, b: int, bits: int = 32) -> int:
    """Return round(a * b / 2^(bits - 1)), halves rounded up; the product of two lowest values saturates."""
    half = 1 << (bits - 1)
    return half - 1 if a == b == -half else (a * b + (half >> 1)) >> (bits - 1)


def divide_by_power(x: int, exponent: int) -> int:
    """Return round(x / 2^exponent), halves rounded away from zero."""
    mask = (1 << exponent) - 1
    threshold = (mask >> 1) + (x < 0)
    return (x >> exponent) + ((x & mask) > threshold)


def requantize(x: int, multiplier: int, shift: int) -> int:
    """Return x * multiplier * 2^(shift - 31), rounded twice as `firmware/engine/requantize.h` does."""
    if shift > 0:
        return multiply_high(wrapped(x << shift), multiplier)
    return divide_by_power(multiply_high(x, multiplier), -shift)


def requantize_array(x: NDArray[np.int64], multiplier: int, shift: int) -> NDArray[np.int64]:
    """Return `requantize` of each element, for a shift of 0 or to the right.

    Example:
        >>> requantize_array(np.array([-3, 3]), 1 << 30, 0).tolist(), requantize(-3, 1 << 30, 0)
        ([-1, 2], -1)
    """
    product = (x * multiplier + (1 << 30)) >> 31
    mask = (1 << -shift) - 1
    rounded: NDArray[np.int64] = (product >> -shift) + ((product & mask) > (mask >> 1) + (product < 0))
    return rounded


def shift_saturating(x: int, exponent: int) -> int:
    """Return x * 2^exponent within int32."""
    return clamped(x << exponent, INT32_MIN, INT32_MAX)


def exp_negative(x: int, integer_bits: int) -> int:
    """Return exp(x) in Q0 for x <= 0 in Q<integer_bits>."""
    if x == 0:
        return INT32_MAX
    quarter = 1 << (31 - integer_bits - 2)
    rest = (x & (quarter - 1)) - quarter
    result = _exp_quarter(shift_saturating(rest, integer_bits))
    # exp(-1/4), exp(-1/2), exp(-1), ... in Q0, one for each bit above the quarters.
    factors = (1672461947, 1302514674, 790015084, 290630308, 39332535, 720401, 242)
    for bit, factor in enumerate(factors[: integer_bits + 2]):
        if (rest - x) & (quarter << bit):
            result = multiply_high(result, factor)
    return result


def _exp_quarter(x: int) -> int:
    """exp(x) for -1/4 <= x < 0, Q0 to Q0: Taylor expansion round -1/8."""
    exp_of_minus_eighth, third = 1895147668, 715827883
    d = x + (1 << 28)
    d2 = multiply_high(d, d)
    d3, d4 = multiply_high(d2, d), multiply_high(d2, d2)
    tail = divide_by_power(multiply_high(divide_by_power(d4, 2) + d3, third) + d2, 1)
    return exp_of_minus_eighth + multiply_high(exp_of_minus_eighth, d + tail)


def _reciprocal_of_mean(x: int) -> int:
    """2 / (1 + x) in Q2 for 0 <= x <= 1 in Q0: three Newton steps."""
    half_denominator = (x + INT32_MAX + 1) >> 1
    estimate = 1515870810 + multiply_high(half_denominator, -1010580540)  # 48/17 - 32/17 d
    for _ in range(3):
        error = (1 << 29) - multiply_high(half_denominator, estimate)
        estimate += shift_saturating(multiply_high(estimate, error), 2)
    return estimate


def reciprocal(x: int) -> int:
    """Return 1 / (1 + x) in Q0 for 0 <= x <= 1 in Q0."""
    return shift_saturating(_reciprocal_of_mean(x), 1)


def logistic(x: int, integer_bits: int) -> int:
    """Return 1 / (1 + exp(-x)) in Q0 for x in Q<integer_bits>."""
    if x == 0:
        return 1 << 30
    positive = reciprocal(exp_negative(-abs(x), integer_bits))
    return positive if x > 0 else INT32_MAX - positive


def tanh(x: int, integer_bits: int) -> int:
    """Return tanh(x) in Q0 for x in Q<integer_bits>: (1 - e) / (1 + e) with e = exp(-2 |x|)."""
    if x == 0:
        return 0
    exponential = exp_negative(-abs(x), integer_bits + 1)
    magnitude = shift_saturating(_reciprocal_of_mean(exponential) - (1 << 29), 2)
    return magnitude if x > 0 else -magnitude


def inverse_square_root(x: int) -> tuple[int, int]:
    """Return multiplier and shift of 1 / sqrt(x) = multiplier * 2^(shift - 31), for 0 < x < 2^29."""
    if x == 1:
        return INT32_MAX, 0
    pairs = (31 - x.bit_length()) // 2 - 1
    scaled = (x << 2 * pairs) >> 1  # Q3
    half = divide_by_power(scaled, 1)
    estimate = 1 << 28
    for _ in range(5):
        cube = shift_saturating(multiply_high(multiply_high(estimate, estimate), estimate), 6)
        step = multiply_high((1 << 28) + (1 << 27), estimate) - multiply_high(half, cube)
        estimate = shift_saturating(step, 3)
    multiplier, right_shift = multiply_high(estimate, 1518500250), 11 - pairs
    if right_shift < 0:
        return wrapped(multiplier << -right_shift), 0
    return multiplier, -right_shift


def codes(dtype: str = "int8") -> Iterator[int]:
    """Yield all values of an 8-bit type in the order of their bytes: 0..127, -128..-1, or 0..255 of uint8 and bool."""
    return (wrapped(byte, 8) if dtype == "int8" else byte for byte in range(256))
