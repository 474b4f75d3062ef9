"""Operators that place elements in a larger or another space: borders, repeats, blocks, resized images; and shapes."""

from __future__ import annotations

from math import prod

from edgekit.tflite.guard.operators import Operator
from edgekit.tflite.guard.rules._shapes import moved


def _pad(op: Operator) -> None:
    op.count(3 if op.kind == "PADV2" else 2)
    source = op.input(0)
    moved(op, source)
    op.rank(source, 1, 5)
    if op.kind == "PADV2":
        value = op.input(2)
        op.same_type(source, value)
        op.elements(value, 1)
    amounts = op.constant(1, 2 * len(source.shape), dtypes=("int32", "int64", "int8", "int16"))
    if amounts is None:
        return
    before, after = amounts[::2], amounts[1::2]
    most = max(amounts)
    op.require(min(amounts) >= 0 and most < 2**24, "inputs", f"pad by {amounts}, expected 0 and more")
    if op.kind == "MIRROR_PAD":
        edge = 1 - op.flag("mode", 2)
        for size, *pads in zip(source.shape, before, after, strict=True):
            op.require(max(pads) <= size - edge, "inputs", f"mirror {max(pads)} positions of {size}")
    op.shape(op.output, [a + size + b for a, size, b in zip(before, source.shape, after, strict=True)])


def _tile(op: Operator) -> None:
    op.count(2)
    source = op.input(0)
    moved(op, source)
    repeats = op.constant(1, len(source.shape))
    if repeats is not None:
        op.shape(op.output, [size * repeat for size, repeat in zip(source.shape, repeats, strict=True)])


def _broadcast_to(op: Operator) -> None:
    op.count(2)
    source = op.input(0)
    moved(op, source)
    op.rank(op.output, 0, 5)
    sizes = op.constant(1, len(op.output.shape))
    if sizes is not None:
        op.shape(op.output, sizes)
    aligned = (1,) * (len(op.output.shape) - len(source.shape)) + source.shape
    fits = len(aligned) == len(op.output.shape) and all(
        size in (1, given) for size, given in zip(aligned, op.output.shape, strict=True)
    )
    op.require(fits, "shape", f"of {source.where} is {list(source.shape)}, repeated to {list(op.output.shape)}")


def _broadcast_args(op: Operator) -> None:
    op.count(2)
    first, second = op.input(0), op.input(1)
    op.one_of(first, "int32", "int64")
    op.same_type(first, second, op.output)
    op.rank(first, 1)
    op.rank(second, 1)
    op.shape(op.output, (max(first.elements, second.elements),))
    pairs = zip(reversed(op.constant(0) or ()), reversed(op.constant(1) or ()), strict=False)
    fits = all(ours == theirs or 1 in (ours, theirs) for ours, theirs in pairs)
    op.require(fits, "inputs", f"have no common shape: {op.constant(0)} and {op.constant(1)}")


def _shape(op: Operator) -> None:
    op.count(1)
    op.one_of(op.output, "int32", "int64")
    op.shape(op.output, (len(op.input(0).shape),))


def _rank(op: Operator) -> None:
    op.count(1)
    op.one_of(op.output, "int32")
    op.elements(op.output, 1)


def _fill(op: Operator) -> None:
    op.count(2)
    value = op.input(1)
    op.elements(value, 1)
    op.same_type(value, op.output)
    sizes = op.constant(0, len(op.output.shape))
    if sizes is not None:
        op.shape(op.output, sizes)


def _reverse_v2(op: Operator) -> None:
    op.count(2)
    source = op.input(0)
    moved(op, source)
    op.rank(source, 1, 8)
    axes = op.constant(1, dtypes=("int32",))
    for axis in axes or ():
        op.axis(axis, len(source.shape))
    if axes is not None:
        whole = sorted(axis % len(source.shape) for axis in axes)
        in_a_row = whole == list(range(whole[0], whole[0] + len(whole))) if whole else True
        op.require(in_a_row, "inputs", f"reverse axes {axes}, expected neighbours, each once")
    op.shape(op.output, source.shape)


def _depth(op: Operator) -> None:
    op.count(1)
    source = op.input(0)
    moved(op, source)
    op.rank(source, 4)
    op.positive("blockSize")
    block = op.option("blockSize")
    batch, rows, columns, channels = source.shape
    if op.kind == "SPACE_TO_DEPTH":
        op.require(rows % block == columns % block == 0, "blockSize", f"is {block}, the image {rows} x {columns}")
        op.shape(op.output, (batch, rows // block, columns // block, channels * block * block))
    else:
        op.require(channels % (block * block) == 0, "blockSize", f"is {block}, there are {channels} channels")
        op.shape(op.output, (batch, rows * block, columns * block, channels // (block * block)))


def _batch_nd(op: Operator) -> None:
    op.count(3)
    source = op.input(0)
    moved(op, source)
    op.rank(source, 3, 4)
    inner = len(source.shape) - 2
    blocks, amounts = op.constant(1, inner, dtypes=("int32",)), op.constant(2, 2 * inner, dtypes=("int32",))
    if blocks is None or amounts is None:
        return
    op.require(
        min(blocks) > 0 and min(amounts) >= 0 and max(blocks + amounts) < 2**24,
        "inputs",
        f"are blocks of {blocks} with {amounts} beside them",
    )
    sides = [a + b for a, b in zip(amounts[::2], amounts[1::2], strict=True)]
    sizes = source.shape[1 : 1 + inner]
    if op.kind == "SPACE_TO_BATCH_ND":
        padded = [size + side for size, side in zip(sizes, sides, strict=True)]
        whole = all(size % block == 0 for size, block in zip(padded, blocks, strict=True))
        op.require(whole, "inputs", f"cut {padded} into blocks of {blocks}")
        inside = [size // block for size, block in zip(padded, blocks, strict=True)]
        op.shape(op.output, (source.shape[0] * prod(blocks), *inside, source.shape[-1]))
        return
    op.require(source.shape[0] % prod(blocks) == 0, "inputs", f"need a batch that {blocks} divides")
    outside = [size * block - side for size, block, side in zip(sizes, blocks, sides, strict=True)]
    op.shape(op.output, (source.shape[0] // prod(blocks), *outside, source.shape[-1]))


def _resize(op: Operator) -> None:
    op.count(2)
    source = op.input(0)
    moved(op, source)
    op.rank(source, 4)
    op.rank(op.output, 4)
    sizes = op.constant(1, 2, dtypes=("int32",))
    if sizes is not None:
        op.shape(op.output, (source.shape[0], *sizes, source.shape[3]))
    is_both = bool(op.option("alignCorners")) and bool(op.option("halfPixelCenters"))
    op.require(not is_both, "alignCorners", "and halfPixelCenters are both set, expected one at most")


RULES = {
    "BATCH_TO_SPACE_ND": _batch_nd,
    "BROADCAST_ARGS": _broadcast_args,
    "BROADCAST_TO": _broadcast_to,
    "DEPTH_TO_SPACE": _depth,
    "FILL": _fill,
    "MIRROR_PAD": _pad,
    "PAD": _pad,
    "PADV2": _pad,
    "RANK": _rank,
    "RESIZE_BILINEAR": _resize,
    "RESIZE_NEAREST_NEIGHBOR": _resize,
    "REVERSE_V2": _reverse_v2,
    "SHAPE": _shape,
    "SPACE_TO_BATCH_ND": _batch_nd,
    "SPACE_TO_DEPTH": _depth,
    "TILE": _tile,
}
