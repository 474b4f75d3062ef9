"""FULLY_CONNECTED. Twin: firmware/engine/fully_connected_words_s8.dsp.h."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from edgekit.engine.cores.dsp._scaling import Scaling, clamp_fields, scaling
from edgekit.engine.cores.dsp._tile import CHANNELS, starts
from edgekit.engine.lowered import Constant, Lowered, row_shape, same_rows
from edgekit.engine.ops import _linear
from edgekit.tflite.graph import Graph, Op


def lower(graph: Graph, op: Op, *, wide_weights: bool) -> Lowered | None:  # noqa: ARG001
    """Lower int8 vectors times a constant int8 matrix of four outputs or more; each row of the input is one vector.

    A weight is used once: widening it in flash would save less than the flash is worth.
    """
    layer = _linear.linear(graph, op)
    if layer.weights.data is None or layer.weights.dtype != "int8" or layer.input.dtype != "int8":
        return None
    if layer.weights.quant is None or any(layer.weights.quant.zero_point):
        return None
    rows = layer.weights.data.reshape(layer.weights.shape[-2:])
    outputs, depth = rows.shape
    if outputs < CHANNELS or row_shape(layer.output)[1] != outputs:
        return None
    scale = scaling(layer, rows)
    if scale is None:
        return None
    scales = np.stack([scale.multiplier, scale.rounding, scale.shift], axis=1)
    is_one = bool((scales == scales[0]).all())
    scales = scales[:1] if is_one else scales
    return Lowered(
        kernel="fully_connected_words_s8.dsp",
        fields={
            "blocks": "blocks",
            "scales": "scales",
            "scale_step": 0 if is_one else 3,
            "depth": depth,
            "output_channels": outputs,
            **clamp_fields(layer),
        },
        constants=(
            _blocks(rows, scale),
            Constant("scales", scales.reshape(-1).astype(np.int32), f"({len(scales)}, 3)"),
        ),
        inputs=(op.inputs[0],),
        output=op.outputs[0],
        rows_read=(same_rows(graph, op.inputs[0], op.outputs[0]),),
    )


def _blocks(rows: NDArray[np.int8], scale: Scaling) -> Constant:
    """Blocks of four outputs: biases, then for each four depths a word of each."""
    padded = np.pad(rows, ((0, 0), (0, -rows.shape[1] % 4)))
    return framed([weight_words(padded[start : start + CHANNELS]) for start in starts(len(rows))], scale)


def weight_words(weights: NDArray[np.int8]) -> NDArray[np.int32]:
    """Return for each four depths a word of each output; weights of shape (4, a multiple of 4)."""
    words: NDArray[np.int32] = np.ascontiguousarray(weights).view("<i4").T.reshape(-1)
    return words


def framed(weights: Sequence[NDArray[np.int32]], scale: Scaling) -> Constant:
    """Return the words that the kernel reads.

    Args:
        weights: of each block of four outputs, as `starts` has them.
        scale: of each output.
    """
    begins = starts(len(scale.bias))
    blocks = [
        part
        for start, words in zip(begins, weights, strict=True)
        for part in (scale.bias[start : start + CHANNELS], words)
    ]
    shape = f"({len(begins)} blocks of 4 outputs): biases, weights"
    return Constant("blocks", np.concatenate(blocks).astype(np.int32), shape)
