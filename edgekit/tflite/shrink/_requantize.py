"""How TFLite brings an accumulator to the output's scale, on arrays; exact, since what it says is folded away.

Source:
    Jacob et al. 2018, arXiv:1712.05877, sections 2.2 and 2.3; TFLite rounds twice, halves away from zero.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from edgekit.tflite.graph import Op, Tensor

_LOWEST, _HIGHEST = -128, 127
_REAL_LIMITS: dict[int, tuple[float | None, float | None]] = {
    0: (None, None),
    1: (0.0, None),
    2: (-1.0, 1.0),
    3: (0.0, 6.0),
}


def factors(before: Tensor, weights: Tensor, after: Tensor, channels: int) -> NDArray[np.float64]:
    """Return what each output channel's accumulator is multiplied by, shape (channels,)."""
    assert before.quant is not None and weights.quant is not None and after.quant is not None
    scales = np.asarray(weights.quant.scale, np.float64)
    return np.broadcast_to(before.quant.scale[0] * scales / after.quant.scale[0], (channels,))


def requantize(
    accumulators: NDArray[np.int64], factor: NDArray[np.float64], op: Op, after: Tensor
) -> NDArray[np.int64] | None:
    """Return the int8 codes that accumulators become.

    Args:
        accumulators: shape (channels,), bias included.
        factor: of each channel; see `factors`.
        op: whose fused activation clamps.
        after: output tensor, int8 with one scale.

    Returns:
        Codes in [-128, 127], shape (channels,); None for a factor or an activation that is not known here.
    """
    low_high = _clamp(op, after)
    if low_high is None or np.any(factor >= 1.0) or np.any(np.abs(accumulators) >= 2**31):
        return None
    assert after.quant is not None
    pairs = [_fixed_point(float(value)) for value in factor]
    multiplier = np.array([pair[0] for pair in pairs], np.int64)
    right = np.array([pair[1] for pair in pairs], np.int64)
    product = accumulators * multiplier
    nudged = product + np.where(product >= 0, 1 << 30, 1 - (1 << 30))
    # Division that rounds toward zero, as in C.
    high = np.sign(nudged) * (np.abs(nudged) >> 31)
    mask = (np.int64(1) << right) - 1
    halves = (mask >> 1) + (high < 0)
    shifted = (high >> right) + ((high & mask) > halves)
    codes: NDArray[np.int64] = np.clip(shifted + after.quant.zero_point[0], *low_high)
    return codes


def _fixed_point(factor: float) -> tuple[int, int]:
    """factor = multiplier * 2^-31 * 2^-right, right >= 0."""
    fraction, exponent = math.frexp(factor)
    multiplier = math.floor(fraction * 2**31 + 0.5)
    if multiplier == 2**31:
        multiplier, exponent = multiplier // 2, exponent + 1
    # Below 2^-32 TFLite takes 0; a factor that rounds up to 1 would need a shift to the left.
    return (0, 0) if exponent < -31 or exponent > 0 else (multiplier, -exponent)


def _clamp(op: Op, after: Tensor) -> tuple[int, int] | None:
    limits = _REAL_LIMITS.get(int(op.options.get("fusedActivationFunction", 0)))
    if limits is None or after.quant is None or len(after.quant.scale) != 1:
        return None
    scale, zero_point = np.float32(after.quant.scale[0]), after.quant.zero_point[0]

    def code(value: float) -> int:
        ratio = float(np.float32(value) / scale)
        return zero_point + (math.floor(ratio + 0.5) if ratio >= 0 else -math.floor(-ratio + 0.5))

    low = _LOWEST if limits[0] is None else max(_LOWEST, code(limits[0]))
    high = _HIGHEST if limits[1] is None else min(_HIGHEST, code(limits[1]))
    return low, high


def clamp_codes(values: NDArray[np.int64], op: Op, after: Tensor) -> NDArray[np.int64] | None:
    """Clamp int8 codes as the fused activation does; None for an activation that is not known here."""
    low_high = _clamp(op, after)
    return None if low_high is None else np.clip(values, *low_high)
