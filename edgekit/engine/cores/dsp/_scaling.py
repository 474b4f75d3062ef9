"""How the DSP kernels bring sums to int8: the words that `firmware/engine/scale.dsp.h` reads for each channel."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from edgekit.engine.lowered import activation_range, zero_point_of
from edgekit.engine.ops import _linear
from edgekit.engine.ops._linear import Linear

_MOST_SHIFT = 22
"""Beyond it a zero point, shifted to the left, and a sum could leave int32 together."""


@dataclass(frozen=True, slots=True, eq=False)
class Scaling:
    """What turns the doubled sum of one channel into its output, for each channel.

    output = (high(2 * sum * multiplier) + rounding + (-1 if sum < 0)) >> shift, limited to the activation range, where
    high() is the upper half of a product, rounded. That is TFLite's rounding in two steps: the -1 rounds halves away
    from zero, and the rounding holds the output zero point beside half a step.

    Attributes:
        bias: the input zero point folded in; int64, shape (channels).
        multiplier, rounding, shift: int64, shape (channels).
    """

    bias: NDArray[np.int64]
    multiplier: NDArray[np.int64]
    rounding: NDArray[np.int64]
    shift: NDArray[np.int64]

    @property
    def rounding_of_one(self) -> int:
        """The rounding that a shift of 1 has; that of shift n is 2^(n - 1) times as much."""
        return int(self.rounding[0] >> (self.shift[0] - 1))


def scaling(layer: Linear, rows: NDArray[np.int8]) -> Scaling | None:
    """Return the numbers for a layer; None where its sums or shifts are beyond what the kernels take.

    Args:
        layer: the layer.
        rows: int8 weights, shape (channels, depth).
    """
    bias = _linear.bias_constant(layer, rows).values.astype(np.int64)
    multiplier, shift, _ = _linear.multiplier_constants(layer, spread=True)
    multipliers = multiplier.values.astype(np.int64)
    # A multiplier of 0 gives the zero point by any shift.
    shifts = np.where(multipliers == 0, 1, -shift.values.astype(np.int64))
    reach = 128 * np.abs(rows.astype(np.int64)).sum(axis=1) + np.abs(bias)
    if reach.max() >= 1 << 30 or shifts.min() < 1 or shifts.max() > _MOST_SHIFT:
        return None
    rounding = (zero_point_of(layer.output) << shifts) + (1 << (shifts - 1))
    return Scaling(bias, multipliers, rounding, shifts)


def clamp_fields(layer: Linear) -> dict[str, int]:
    """Return the clamp of the output, and whether it is more than the limits of int8."""
    low, high = activation_range(layer.op, layer.output)
    return {"clamps": int((low, high) != (-128, 127)), "activation_min": low, "activation_max": high}


def is_relu(layer: Linear) -> bool:
    """Return whether all negative sums end at the lower limit: then nothing has to round halves of them."""
    return activation_range(layer.op, layer.output)[0] >= zero_point_of(layer.output)
