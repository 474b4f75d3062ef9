"""FULLY_CONNECTED. Twin: firmware/engine/fully_connected_words_s8.dsp.h."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edgekit.engine.cores.dsp._scaling import Scaling, clamp_fields, scaling
from edgekit.engine.cores.dsp._tile import CHANNELS, starts
from edgekit.engine.lowered import Constant, Lowered, row_shape, same_rows
from edgekit.engine.ops import _linear
from edgekit.engine.ops._linear import Linear
from edgekit.tflite.graph import Graph, Op


def lower(graph: Graph, op: Op, *, wide_weights: bool) -> Lowered | None:  # noqa: ARG001
    """Lower int8 vectors times a constant int8 matrix of four outputs or more; each row of the input is one vector.

    A weight is used once: widening it in flash would save less than the flash is worth.
    """
    layer = _linear.linear(graph, op)
    rows = matrix(layer) if layer.weights.dtype == "int8" else None
    scale = None if rows is None else scaling(layer, rows)
    if rows is None or scale is None:
        return None
    return Lowered(
        kernel="fully_connected_words_s8.dsp",
        fields={"blocks": "blocks", **fields(layer, scale)},
        constants=(_blocks(rows, scale), scales(scale)),
        inputs=(op.inputs[0],),
        output=op.outputs[0],
        rows_read=(same_rows(graph, op.inputs[0], op.outputs[0]),),
    )


def matrix(layer: Linear) -> NDArray[np.int8] | None:
    """Return weights of shape (outputs, depth) that the kernels take; None of a layer that they do not."""
    if layer.weights.data is None or layer.weights.quant is None or layer.input.dtype != "int8":
        return None
    if layer.weights.dtype not in ("int8", "int4") or any(layer.weights.quant.zero_point):
        return None
    outputs = layer.weights.shape[-2]
    if outputs < CHANNELS or row_shape(layer.output)[1] != outputs:
        return None
    return layer.weights.data.reshape(layer.weights.shape[-2:])


def fields(layer: Linear, scale: Scaling) -> dict[str, Any]:
    """Return the settings behind the blocks."""
    outputs, depth = layer.weights.shape[-2:]
    return {
        "scales": "scales",
        "scale_step": 0 if len(_scales(scale)) == 1 else 3,
        "depth": depth,
        "output_channels": outputs,
        **clamp_fields(layer),
    }


def scales(scale: Scaling) -> Constant:
    """Return multiplier, rounding and shift of each output, or those of all."""
    values = _scales(scale)
    return Constant("scales", values.reshape(-1).astype(np.int32), f"({len(values)}, 3)")


def _scales(scale: Scaling) -> NDArray[np.int64]:
    values = np.stack([scale.multiplier, scale.rounding, scale.shift], axis=1)
    return values[:1] if (values == values[0]).all() else values


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
