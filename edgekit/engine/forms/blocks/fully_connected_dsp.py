"""FULLY_CONNECTED on Armv7E-M. Twin: firmware/engine/fully_connected_words_blocks_s8.dsp.h."""

from __future__ import annotations

import dataclasses

import numpy as np
from numpy.typing import NDArray

from edgekit.engine.cores.dsp import fully_connected
from edgekit.engine.cores.dsp._scaling import scaling
from edgekit.engine.forms.blocks._encode import BlockRow, block_rows, is_full, kept
from edgekit.engine.forms.blocks._tile_dsp import flagged_steps
from edgekit.engine.forms.blocks.shape import block_shape
from edgekit.engine.lowered import Lowered, row_shape
from edgekit.engine.ops import _linear
from edgekit.engine.options import EngineOptions
from edgekit.tflite.graph import Graph, Op


def candidates(graph: Graph, op: Op, options: EngineOptions) -> tuple[Lowered, ...]:
    """Lower what the dense kernel takes, with some blocks of zeros; see `edgekit.engine.forms.FormModule`."""
    dense = fully_connected.lower(graph, op, wide_weights=options.wide_weights)
    if dense is None:
        return ()
    layer = _linear.linear(graph, op)
    assert layer.weights.data is not None
    weights, shape = layer.weights.data.reshape(layer.weights.shape[-2:]), block_shape(("dsp",))
    rows, scale = block_rows(weights, shape), scaling(layer, weights)
    assert scale is not None
    depth, vectors = weights.shape[1], row_shape(layer.output)[0]
    if is_full(rows, depth):
        return ()
    made = dataclasses.replace(
        dense,
        kernel="fully_connected_words_blocks_s8.dsp",
        constants=(fully_connected.framed([_words(row) for row in rows], scale), *dense.constants[1:]),
        scratch_bytes=depth + -depth % 4 if depth % 4 else 0,
        form="blocks",
        products=kept(rows) * shape.channels * shape.depth * vectors,
        entries=kept(rows) * vectors,
    )
    return (made,)


def _words(row: BlockRow) -> NDArray[np.int32]:
    """The bytes of the steps, the steps, and the blocks of four outputs."""
    steps, blocks = flagged_steps(row)
    steps = np.pad(steps, (0, -len(steps) % 4)).astype(np.uint8)
    head = np.array([len(steps)], np.int32)
    return np.concatenate([head, steps.view("<i4"), *map(fully_connected.weight_words, blocks)])
