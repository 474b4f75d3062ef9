"""The weight matrix of `firmware/engine/matrix.mve.h`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edgekit.engine.lowered import Constant, zero_point_of
from edgekit.engine.ops import _linear
from edgekit.engine.ops._linear import Linear

LANES = 16
GROUP = 4


@dataclass(frozen=True, slots=True, eq=False)
class Matrix:
    """A weight matrix.

    Attributes:
        fields: of `ek_matrix_mve`.
        constants: what the fields name.
    """

    fields: Mapping[str, Any]
    constants: tuple[Constant, ...]


def suits(layer: Linear) -> bool:
    """Whether the activations and weights are int8 and no accumulator is scaled up."""
    if layer.kernel_suffix != "s8" or layer.weights.data is None:
        return False
    return bool(np.all(_linear.multiplier_constants(layer)[1].values <= 0))


def output_fields(layer: Linear) -> Mapping[str, Any]:
    """Return zero point and clamp, and whether the clamp leaves values below the zero point, which round otherwise."""
    fields = _linear.output_fields(layer)
    return {"rounds_negatives": int(fields["activation_min"] < zero_point_of(layer.output)), **fields}


def clamp_fields(layer: Linear) -> Mapping[str, Any]:
    """Return zero point and clamp, and whether it is that of int8 and hides how negative values are rounded."""
    fields = dict(output_fields(layer))
    rounds_negatives = fields.pop("rounds_negatives")
    is_int8 = (fields["activation_min"], fields["activation_max"]) == (-128, 127)
    return {"clamps_at_int8": int(is_int8 and not rounds_negatives), **fields}


def matrix(layer: Linear, rows: NDArray[Any]) -> Matrix:
    """Encode the weights of a layer for `ek_matrix_two_mve`.

    Args:
        layer: the layer.
        rows: int8 weights, shape (output_channels, depth).
    """
    channels, depth = rows.shape
    fields = {
        "weights": "weights",
        "scales": "scales",
        "depth": depth,
        "output_channels": channels,
        **output_fields(layer),
    }
    shape = f"({channels}, {depth}) in groups of {GROUP} channels, blocks of {LANES} weights"
    return Matrix(fields, (Constant("weights", in_groups(rows), shape), _scales(layer, rows)))


def in_groups(rows: NDArray[Any]) -> NDArray[np.int8]:
    """Return the weights in the order in which they are read, and what may be read behind them.

    Example:
        >>> in_groups(np.arange(2 * 17, dtype=np.int8).reshape(2, 17))[:35].tolist()[14:]
        [14, 15, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31, 32, 16, 33, 0]
    """
    depth = rows.shape[1]
    whole = depth - depth % LANES
    parts = []
    for start in range(0, len(rows), GROUP):
        group = rows[start : start + GROUP]
        parts += [group[:, block : block + LANES] for block in range(0, whole, LANES)]
        parts.append(group[:, whole:])
    behind = LANES - (depth - whole) if depth > whole else 0
    return np.concatenate([*(part.reshape(-1) for part in parts), np.zeros(behind, np.int8)]).astype(np.int8)


def _scales(layer: Linear, rows: NDArray[Any]) -> Constant:
    """Bias, multiplier and shift of four channels at a time: nine words."""
    multiplier, shift, _ = _linear.multiplier_constants(layer, spread=True)
    groups = -(-len(rows) // GROUP)

    def grouped(values: NDArray[Any]) -> NDArray[Any]:
        return np.pad(values, (0, groups * GROUP - len(values))).reshape(groups, GROUP)

    shifts = np.ascontiguousarray(grouped(shift.values).astype(np.int8)).view("<i4")
    words = (grouped(_linear.bias_constant(layer, rows).values), grouped(multiplier.values), shifts)
    values = np.concatenate(words, axis=1).astype(np.int32)
    return Constant("scales", values.reshape(-1), f"({groups}, 9): 4 biases, 4 multipliers, 4 shifts in a word")
