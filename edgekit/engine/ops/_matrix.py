"""The weight matrix of `firmware/engine/matrix_vector_*.h`, from a convolution or a fully connected layer."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edgekit.engine.lowered import Constant
from edgekit.engine.ops._linear import Linear, bias_constant, multiplier_constants, output_fields, scales_down
from edgekit.engine.weights import WeightEncoding, encode


@dataclass(frozen=True, slots=True, eq=False)
class Matrix:
    """A weight matrix, or one for each group of channels.

    Attributes:
        fields: of `ek_matrix_s8` or `ek_matrix_s16`; of the first group.
        constants: what the fields name; groups lie one behind the other.
        weight_bytes: of one group.
    """

    fields: Mapping[str, Any]
    constants: tuple[Constant, ...]
    weight_bytes: int


def matrix(layer: Linear, rows: NDArray[Any], groups: int = 1) -> Matrix:
    """Encode the weights of a layer for `ek_matrix_vector_s8` and its kin.

    Args:
        layer: the layer.
        rows: int8 weights, shape (output_channels, depth).
        groups: equal parts of the output channels, each with a matrix of its own.
    """
    channels, depth = rows.shape
    parts = [encode(part, WeightEncoding.INTERLEAVED_4) for part in np.split(rows, groups)]
    multiplier, shift, per_channel = multiplier_constants(layer)
    fields = {
        "weights": "weights",
        "bias": "bias",
        "multiplier": "multiplier",
        "shift": "shift",
        "per_channel": per_channel,
        **({} if layer.input.dtype == "int16" else {"scales_down": int(scales_down(layer))}),
        **({"narrow": int(not layer.is_wide)} if layer.input.dtype == "int16" else {}),
        "depth": depth,
        "output_channels": channels // groups,
        **output_fields(layer),
    }
    weights = Constant("weights", np.concatenate(parts), f"({channels}, {depth}) in blocks of 4 channels")
    return Matrix(fields, (weights, bias_constant(layer, rows), multiplier, shift), parts[0].size)
