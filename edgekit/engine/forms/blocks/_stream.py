"""The stream that `firmware/engine/tile_blocks_s8.h` reads: blocks of four channels, at four depths or at one."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edgekit.engine.forms.blocks._encode import BlockRow, block_rows
from edgekit.engine.forms.blocks.shape import PORTABLE
from edgekit.engine.lowered import Constant, Lowered
from edgekit.engine.ops._linear import linear
from edgekit.tflite.graph import Graph, Op

FORM = "blocks"
_DEEP = 4


def with_blocks(
    graph: Graph, op: Op, dense: Lowered, kernel: str, *, tile_pixels: int, vectors: int
) -> tuple[Lowered, ...]:
    """Return a layer of an `ek_matrix_s8` with its blocks in place of its weights.

    Args:
        graph: the model.
        op: the layer, with weights of shape (channels, ..., depth).
        dense: the layer as the portable kernels have it.
        kernel: stem of the kernel for blocks, whose settings are those of the dense one.
        tile_pixels: how many pixels, or vectors, take up a block at once.
        vectors: how many of them there are in one inference.

    Returns:
        One layer, or none: where there are fewer channels than a block has, or blocks would take no fewer bytes.
    """
    weights = linear(graph, op).weights
    assert weights.data is not None
    matrix: Mapping[str, Any] = dense.fields["matrix"]
    channels, depth = matrix["output_channels"], matrix["depth"]
    if channels < PORTABLE.channels:
        return ()
    streams, counts = zip(
        *(_stream(row) for row in block_rows(weights.data.reshape(channels, depth), PORTABLE)), strict=True
    )
    stored, blocks = np.concatenate(streams), sum(counts)
    if stored.size >= channels * depth:
        return ()
    constant = Constant("weights", stored, f"({channels}, {depth}): {blocks} times 4 channels at one depth")
    return (
        Lowered(
            kernel=kernel,
            fields=dense.fields,
            constants=(constant, *(item for item in dense.constants if item.name != "weights")),
            inputs=dense.inputs,
            output=dense.output,
            scratch_bytes=dense.scratch_bytes,
            rows_read=dense.rows_read,
            form=FORM,
            products=4 * blocks * vectors,
            entries=blocks * math.ceil(vectors / tile_pixels),
        ),
    )


def _stream(row: BlockRow) -> tuple[NDArray[np.int8], int]:
    """Return the bytes of four channels, and at how many depths they are taken up.

    Four depths in a row save three steps; what is left over stands alone.
    """
    deep = _runs(row.places)
    inside = deep[:, None] + np.arange(_DEEP)
    alone = ~np.isin(row.places, inside)
    places = np.searchsorted(row.places, inside)
    parts = [
        _kind(BlockRow(row.start, deep, row.values[places, :, 0].transpose(0, 2, 1))),
        _kind(BlockRow(row.start, row.places[alone], row.values[alone])),
    ]
    stored = np.concatenate([item for item, _ in parts])
    return stored, sum(count for _, count in parts)


def _kind(row: BlockRow) -> tuple[NDArray[np.int8], int]:
    """Each block: how far it lies behind the one before, and its weights, four of each depth; a zero behind the last.

    A block that only bridges a gap counts too.
    """
    steps, values = row.steps(1, begin=-1)
    deep = values.shape[2]
    weights = values.transpose(0, 2, 1).reshape(len(steps), PORTABLE.channels * deep).view(np.uint8)
    blocks = np.concatenate([steps[:, None].astype(np.uint8), weights], axis=1)
    return np.append(blocks.reshape(-1), np.uint8(0)).view(np.int8), len(steps) * deep


def _runs(places: NDArray[np.int64]) -> NDArray[np.int64]:
    """Where four depths in a row begin, the first ones first, none in two of them.

    Example:
        >>> _runs(np.array([0, 2, 3, 4, 5, 6, 9, 10, 11, 12])).tolist()
        [2, 9]
    """
    position = np.arange(len(places))
    begins = np.diff(places, prepend=-2) != 1
    first = np.maximum.accumulate(np.where(begins, position, 0))
    length = np.bincount(first, minlength=len(places))[first]
    chosen: NDArray[np.int64] = places[((position - first) % _DEEP == 0) & (position - first + _DEEP <= length)]
    return chosen
