"""The matrices that `firmware/engine/tile.x86.h` and `scale.x86.h` read: eight channels at a time."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edgekit.engine.lowered import Constant, activation_range, zero_point_of
from edgekit.engine.ops import _linear
from edgekit.engine.ops._linear import Linear

CHANNELS = 8
PIXELS = 4


@dataclass(frozen=True, slots=True, eq=False)
class Matrix:
    """A weight matrix.

    Attributes:
        fields: of `ek_matrix_x86`.
        constants: what they name.
    """

    fields: Mapping[str, Any]
    constants: tuple[Constant, ...]


def wide_bytes(depth: int, pixels: int) -> int:
    """Return the bytes of so many pixels' activations, widened: each pixel fills whole vectors.

    Example:
        >>> wide_bytes(27, 4)
        256
    """
    return -(-depth // 8) * 8 * pixels * 2


def matrix(layer: Linear, rows: NDArray[np.int8]) -> Matrix:
    """Encode a layer that `_linear.scales_down` allows.

    Args:
        layer: the layer.
        rows: int8 weights, shape (output channels, depth).
    """
    channels, depth = rows.shape
    padded = np.pad(rows, ((0, -channels % CHANNELS), (0, depth % 2)))
    # (blocks, halves, four channels, steps, two depths): the bytes of both halves take turns.
    split = padded.reshape(-1, 2, 4, padded.shape[1] // 2, 2)
    stored = np.ascontiguousarray(split.transpose(0, 3, 2, 4, 1)).reshape(-1)
    blocks = np.minimum(np.arange(padded.shape[0]), channels - 1).reshape(-1, CHANNELS)
    return Matrix(
        {
            "weights": "weights",
            "scales": "scales",
            "depth": depth,
            "output_channels": channels,
            **clamp_fields(layer),
        },
        (
            Constant("weights", stored, f"({len(blocks)} blocks of 8 channels, {padded.shape[1] // 2}, 16)"),
            scales(layer, rows, blocks),
        ),
    )


def scales(layer: Linear, rows: NDArray[np.int8], blocks: NDArray[np.int64]) -> Constant:
    """Return biases, multipliers, roundings and factors of each block of eight channels.

    Args:
        layer: the layer.
        rows: int8 weights, shape (output channels, depth).
        blocks: which channels each block is of, shape (blocks, 8).
    """
    bias = _linear.bias_constant(layer, rows).values.astype(np.int64)
    multiplier, shift, _ = _linear.multiplier_constants(layer, spread=True)
    exponent = -shift.values.astype(np.int64)
    # The zero point and half a step, both times 2^exponent, raised by 2^31 for a product without sign.
    rounding = (2 * zero_point_of(layer.output) + 1) * (1 << (exponent - 1)) + (1 << 31)
    words = [bias, multiplier.values.astype(np.int64), rounding, 1 << (32 - exponent)]
    values = np.stack([kind[blocks] for kind in words], axis=1).reshape(-1)
    wrapped = np.where(values >= 1 << 31, values - (1 << 32), values)
    shape = f"({len(blocks)}, 32): biases, multipliers, roundings, factors"
    return Constant("scales", wrapped.astype(np.int32), shape)


def clamp_fields(layer: Linear) -> dict[str, int]:
    """Return the limits of the output."""
    low, high = activation_range(layer.op, layer.output)
    return {"activation_min": low, "activation_max": high}
