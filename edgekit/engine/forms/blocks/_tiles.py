"""CONV_2D in blocks, for tiles of any size."""

from __future__ import annotations

from edgekit.engine.forms.blocks._stream import with_blocks
from edgekit.engine.lowered import Lowered
from edgekit.tflite.graph import Graph, Op


def in_tiles(graph: Graph, op: Op, dense: Lowered | None) -> tuple[Lowered, ...]:
    """Return a convolution of `conv_2d_s8` with its blocks in place of its weights.

    Args:
        graph: the model.
        op: the convolution.
        dense: as the core computes it with all weights; any other kernel has no blocks.
    """
    if dense is None or dense.kernel != "conv_2d_s8":
        return ()
    _, rows, columns, _ = graph.tensors[op.outputs[0]].shape
    assert dense.scratch_bytes is not None
    tile_pixels = dense.scratch_bytes // dense.fields["matrix"]["depth"]
    return with_blocks(graph, op, dense, "conv_2d_blocks_s8", tile_pixels=tile_pixels, vectors=rows * columns)
