"""CONV_2D of blocks on the LX6. Twin: firmware/engine/conv_2d_quads_s8.mac16.h."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from edgekit.engine.cores.mac16 import _narrow
from edgekit.engine.cores.mac16._channels import channels
from edgekit.engine.forms.blocks._encode import block_rows
from edgekit.engine.forms.blocks.shape import BlockShape
from edgekit.engine.lowered import Constant, Lowered
from edgekit.engine.ops import _linear
from edgekit.engine.ops._convolution import rows_read
from edgekit.engine.options import EngineOptions
from edgekit.tflite.graph import Graph, Op

_DEEP = 4
_BLOCK = BlockShape(channels=1, depth=_DEEP)
_MOST_QUADS = 255  # a byte counts them


def candidates(graph: Graph, op: Op, options: EngineOptions) -> tuple[Lowered, ...]:  # noqa: ARG001
    """Lower one convolution of all input channels; the fours that are kept are widened for a block of pixels."""
    layer = _linear.linear(graph, op)
    weights = layer.weights.data
    if layer.input.shape[3] != layer.weights.shape[3] or layer.kernel_suffix != "s8" or weights is None:
        return ()
    made = _narrow.block(layer, (weights.shape[1], weights.shape[2]))
    constants = channels(layer, weights.reshape(len(weights), -1), compact=True, held=_narrow.HELD)
    if constants is None or made.strip.quads > _MOST_QUADS:
        return ()
    codes, values = encoded(made.strip.rows(weights))
    kept = len(values) // _DEEP
    if len(codes) + len(values) >= weights.size:
        return ()
    blocks = Constant("codes", codes, f"({len(codes)}), for each channel how many, gaps, 0")
    words = _narrow.words(values.reshape(-1, _DEEP))
    return (
        Lowered(
            kernel="conv_2d_quads_s8.mac16",
            fields={"weights": "weights", "codes": "codes", "pixels": made.fields(layer)},
            constants=(words, blocks, constants),
            inputs=(op.inputs[0],),
            output=op.outputs[0],
            scratch_bytes=made.scratch_bytes,
            rows_read=(rows_read(layer, made.strip.kernel[0]),),
            form="blocks",
            products=_DEEP * kept * layer.output.shape[1] * layer.output.shape[2],
            entries=kept * made.count(layer),
        ),
    )


def encoded(rows: NDArray[np.int8]) -> tuple[NDArray[np.uint8], NDArray[np.int8]]:
    """Return the codes and the weights that are kept, for weights of shape (channels, depth) in a strip's order."""
    codes: list[int] = []
    values = []
    for row in block_rows(rows, _BLOCK):
        steps, kept = row.steps(_DEEP, passed=_DEEP)
        if len(steps) == 0:  # a loop runs once at least
            steps, kept = np.zeros(1, np.int64), np.zeros((1, 1, _DEEP), np.int8)
        codes += [len(steps), *steps.tolist(), 0]
        values.append(kept.reshape(-1))
    return np.array(codes, np.uint8), np.concatenate(values)
