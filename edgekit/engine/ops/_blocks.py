"""What operators that trade space for depth share."""

from __future__ import annotations

from edgekit.tflite.graph import Graph, Op


def block_fits(graph: Graph, op: Op) -> str | None:
    """images whose height and width are blocks of the block size, and as deep as the blocks need"""
    before, after = graph.tensors[op.inputs[0]].shape, graph.tensors[op.outputs[0]].shape
    wide, deep = (before, after) if op.kind == "SPACE_TO_DEPTH" else (after, before)
    block = int(op.options.get("blockSize", 0))
    came = f"{list(before)} to {list(after)} with block size {block}"
    if len(wide) != 4 or len(deep) != 4 or block < 1:
        return came
    batch, rows, columns, channels = deep
    fits = channels % block**2 == 0 and wide == (batch, rows * block, columns * block, channels // block**2)
    return None if fits else came
