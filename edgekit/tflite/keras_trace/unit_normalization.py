"""Unit vectors (UnitNormalization, Dot with normalize) as L2_NORMALIZATION.

Keras writes them with an inverse root, which is a million for a vector of zeros: no int8 scale covers that.
"""

from __future__ import annotations

from typing import Any

from edgekit.tflite.keras_trace import Replacement, TraceContext, _l2


def replacements(_: TraceContext) -> list[Replacement]:
    """Return the function behind `keras.ops.normalize`, for order 2 and the last axis."""
    from keras.src.ops import nn

    original = nn._normalize

    def normalize(x: Any, axis: Any = -1, order: int = 2, epsilon: float | None = None) -> Any:
        unit = _l2.normalized(x, axis, (epsilon or 1e-7) ** 2) if order == 2 else None
        return original(x, axis, order, epsilon) if unit is None else unit

    return [Replacement(nn, "_normalize", normalize)]
