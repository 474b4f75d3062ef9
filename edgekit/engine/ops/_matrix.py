"""The weight matrix of `firmware/engine/matrix_vector_s8.h`, from a convolution or a fully connected layer."""

from __future__ import annotations

from typing import Any

from numpy.typing import NDArray

from edgekit.engine.lowered import Constant
from edgekit.engine.ops._convolution import folded_bias, multiplier_constants, output_fields
from edgekit.engine.weights import WeightEncoding, encode
from edgekit.tflite.graph import Graph, Op


def matrix(graph: Graph, op: Op, rows: NDArray[Any]) -> tuple[dict[str, Any], tuple[Constant, ...]]:
    """Return the fields of `ek_matrix_s8` and the constants they name.

    Args:
        graph, op: the layer.
        rows: int8 weights, shape (output_channels, depth).
    """
    channels, depth = rows.shape
    weights = Constant(
        "weights",
        encode(rows, WeightEncoding.INTERLEAVED_4),
        f"({channels}, {depth}) in blocks of 4 channels",
    )
    multiplier, shift, per_channel = multiplier_constants(graph, op, channels)
    fields = {
        "weights": "weights",
        "bias": "bias",
        "multiplier": "multiplier",
        "shift": "shift",
        "per_channel": per_channel,
        "depth": depth,
        "output_channels": channels,
        **output_fields(graph, op),
    }
    return fields, (weights, folded_bias(graph, op, rows), multiplier, shift)
