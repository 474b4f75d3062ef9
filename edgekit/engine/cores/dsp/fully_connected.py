"""FULLY_CONNECTED. Twin: firmware/engine/fully_connected_words_s8.dsp.h."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from edgekit.engine.cores.dsp._scaling import Scaling, clamp_fields, scaling
from edgekit.engine.lowered import Constant, Lowered, row_shape, same_rows
from edgekit.engine.ops import _linear
from edgekit.tflite.graph import Graph, Op

_OUTPUTS = 4


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
    if outputs < _OUTPUTS or row_shape(layer.output)[1] != outputs:
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
    """Blocks of four outputs, the last one of the last four: biases, then for each four depths a word of each."""
    outputs, depth = rows.shape
    starts = [*range(0, outputs - _OUTPUTS, _OUTPUTS), outputs - _OUTPUTS]
    padded = np.pad(rows, ((0, 0), (0, -depth % 4)))
    words = np.ascontiguousarray(padded).view("<i4")
    blocks = [
        np.concatenate([scale.bias[start : start + _OUTPUTS], words[start : start + _OUTPUTS].T.reshape(-1)])
        for start in starts
    ]
    return Constant("blocks", np.concatenate(blocks).astype(np.int32), f"({len(starts)} blocks of 4 outputs)")
