"""FULLY_CONNECTED. Twins: firmware/engine/fully_connected_words_{int4,clustered,bitmap,prefix}_s8.dsp.h."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from edgekit.engine import packings
from edgekit.engine.cores.dsp import _runs, fully_connected
from edgekit.engine.cores.dsp._scaling import Scaling, clamp_fields, scaling
from edgekit.engine.cores.dsp._tile import CHANNELS, starts
from edgekit.engine.lowered import Constant, Lowered, row_shape, same_rows
from edgekit.engine.ops import _linear
from edgekit.engine.ops._linear import Linear
from edgekit.engine.options import EngineOptions
from edgekit.engine.packings import Packed
from edgekit.tflite.graph import Graph, Op

# Depths of the 8 codes of a word.
_ORDERS = {"int4": (0, 1, 4, 5, 2, 3, 6, 7), "clustered": (0, 2, 1, 3, 4, 6, 5, 7)}


def candidates(graph: Graph, op: Op, options: EngineOptions) -> tuple[Lowered, ...]:  # noqa: ARG001
    """Lower what the kernel of dense weights takes, int4 too."""
    layer = _linear.linear(graph, op)
    rows = fully_connected.matrix(layer)
    scale = None if rows is None else scaling(layer, rows)
    if rows is None or scale is None:
        return ()
    found = []
    for name in _runs.PACKINGS:
        blocks = _blocks(rows, _ORDERS.get(name))
        packed = packings.packed_as(name, blocks.reshape(-1), blocks.shape[1])
        if packed is None or (name in _ORDERS and not _runs.fits(rows, scale, name)):
            continue
        lower = _codes if name in _ORDERS else _unpacked
        found.append(lower(graph, layer, scale, packed))
    return tuple(found)


def _blocks(rows: NDArray[np.int8], order: tuple[int, ...] | None) -> NDArray[np.int8]:
    """Return blocks of four outputs, the last one of the last four: shape (blocks, words, 4 outputs, depths of one)."""
    outputs, depth = rows.shape
    each = 4 if order is None else len(order)
    begins = starts(outputs)
    padded = np.pad(rows, ((0, 0), (0, -depth % each)))
    blocks = np.stack([padded[start : start + CHANNELS] for start in begins])
    words = blocks.reshape(len(begins), CHANNELS, -1, each).transpose(0, 2, 1, 3)
    words = words if order is None else words[..., list(order)]
    return np.ascontiguousarray(words.reshape(len(begins), -1))


def _codes(graph: Graph, layer: Linear, scale: Scaling, packed: Packed) -> Lowered:
    outputs, depth = layer.weights.shape[-2:]
    raised = _runs.raise_of(packed.name)
    vector_bytes = 2 * (depth + -depth % 8)
    return Lowered(
        kernel=f"fully_connected_words_{packed.name}_s8.dsp",
        fields={
            "packed": packed.fields,
            "scales": "scales",
            "values": 0 if packed.values is None else len(packed.values.values),
            "raise": raised,
            "rounding": scale.rounding_of_one,
            "depth": depth,
            "output_channels": outputs,
            **clamp_fields(layer),
        },
        constants=(*packed.constants, _runs.block_scales(scale, raised)),
        inputs=(layer.op.inputs[0],),
        output=layer.op.outputs[0],
        scratch_bytes=vector_bytes + (_runs.TABLE_BYTES if packed.name == "clustered" else 0),
        rows_read=(same_rows(graph, layer.op.inputs[0], layer.op.outputs[0]),),
        form=packed.name,
        entries=layer.weights.elements * row_shape(layer.output)[0],
    )


def _unpacked(graph: Graph, layer: Linear, scale: Scaling, packed: Packed) -> Lowered:
    outputs, depth = layer.weights.shape[-2:]
    begins = starts(outputs)
    biases = np.concatenate([scale.bias[start : start + CHANNELS] for start in begins]).astype(np.int32)
    dense = fully_connected.fields(layer, scale)
    return Lowered(
        kernel=f"fully_connected_words_{packed.name}_s8.dsp",
        fields={"words": {"blocks": "biases", **dense}, "packed": packed.fields},
        constants=(
            *packed.constants,
            Constant("biases", biases, f"({len(begins)} blocks of 4 outputs)"),
            fully_connected.scales(scale),
        ),
        inputs=(layer.op.inputs[0],),
        output=layer.op.outputs[0],
        scratch_bytes=16 + CHANNELS * (depth + -depth % 4),
        rows_read=(same_rows(graph, layer.op.inputs[0], layer.op.outputs[0]),),
        form=packed.name,
        entries=layer.weights.elements * row_shape(layer.output)[0],
    )
