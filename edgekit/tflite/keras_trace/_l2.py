"""x / |x| as L2_NORMALIZATION, whose int8 output has the fixed step 1/128."""

from __future__ import annotations

from typing import Any

# The elements of a unit vector are about 1/sqrt(channels): with more channels than this they have too few steps.
_LIMIT_CHANNELS = 64


def normalized(x: Any, axis: Any, epsilon: float) -> Any:
    """Return x / sqrt(max(sum(x^2), epsilon)) over the last axis.

    Args:
        x: float tensor.
        axis: as the layer says it, a number or a list of them.
        epsilon: smallest sum.

    Returns:
        Of x's shape; None where the axis is not the last one, or too long for the operator's step.
    """
    import tensorflow as tf

    axes = [axis] if isinstance(axis, int) else list(axis)
    if [one % len(x.shape) for one in axes] != [len(x.shape) - 1]:
        return None
    if x.shape[-1] is None or x.shape[-1] > _LIMIT_CHANNELS:
        return None
    return tf.math.l2_normalize(x, -1, epsilon=epsilon)
