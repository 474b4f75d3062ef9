"""Real factors as fixed-point multipliers, as TFLite defines them."""

from __future__ import annotations

import math


class FactorError(ValueError):
    """A factor that no multiplier and shift can write: scales too far apart."""


def quantize_multiplier(real: float) -> tuple[int, int]:
    """Write a factor as ``multiplier * 2**(shift - 31)``.

    Args:
        real: factor, >= 0 and finite.

    Returns:
        multiplier: 0, or in [2**30, 2**31).
        shift: in [-31, 31]; a factor below 2**-32 becomes 0.

    Raises:
        FactorError: the factor is negative, not finite, or 2**31 and more.

    Example:
        >>> quantize_multiplier(0.5), quantize_multiplier(3.0)
        ((1073741824, 0), (1610612736, 2))

    Source:
        Jacob et al. 2018, arXiv:1712.05877, section 2.2.
    """
    if not math.isfinite(real) or real < 0 or real >= 2**31:
        raise FactorError(f"a factor of {real:g} between scales")
    if real == 0:
        return 0, 0
    fraction, shift = math.frexp(real)
    # TFLite rounds halves away from zero; fraction is positive, so floor(x + 0.5) does the same.
    multiplier = math.floor(fraction * 2**31 + 0.5)
    if multiplier == 2**31:
        multiplier, shift = multiplier // 2, shift + 1
    return (0, 0) if shift < -31 else (multiplier, shift)
