"""Operators that move elements without computing: other shapes, parts, joints, repeats."""

from __future__ import annotations

from math import prod

from edgekit.tflite.guard.operators import Operator
from edgekit.tflite.guard.tensors import Operand


def _moved(op: Operator, source: Operand) -> None:
    op.same_type(source, op.output)


def _reshape(op: Operator) -> None:
    op.count((1, 2))
    source, output = op.input(0), op.output
    _moved(op, source)
    op.elements(output, source.elements)
    said = op.optional(1)
    sizes: list[int] | None = None
    if said is not None:
        op.one_of(said, "int32")
        op.rank(said, 0, 1)
        values = said.values()
        sizes = None if values is None else [int(value) for value in values]
        op.elements(said, len(output.shape))
    elif op.options is not None and op.options.newShape is not None:
        sizes = [int(value) for value in op.options.newShape]
    if sizes is None:
        op.require(said is not None, "newShape", "is missing, and there is no second input")
        return
    fits = len(sizes) == len(output.shape) and sizes.count(-1) <= 1
    fits = fits and all(size in (-1, given) for size, given in zip(sizes, output.shape, strict=True))
    op.require(fits, "newShape", f"is {sizes}, the output has {list(output.shape)}")


def _squeeze(op: Operator) -> None:
    op.count(1)
    source = op.input(0)
    _moved(op, source)
    named = op.option("squeezeDims")
    axes = {op.axis(int(axis), len(source.shape), "squeezeDims") for axis in (named if named is not None else ())}
    for axis in axes:
        op.require(source.shape[axis] == 1, "squeezeDims", f"has {axis}, where {source.where} has {source.shape[axis]}")
    kept = [size for axis, size in enumerate(source.shape) if (axis not in axes if axes else size != 1)]
    op.shape(op.output, kept)


def _expand_dims(op: Operator) -> None:
    op.count(2)
    source = op.input(0)
    _moved(op, source)
    axes = op.constant(1, 1)
    if axes is not None:
        axis = op.axis(axes[0], len(source.shape) + 1)
        op.shape(op.output, (*source.shape[:axis], 1, *source.shape[axis:]))
    op.elements(op.output, source.elements)


def _transpose(op: Operator) -> None:
    op.count(2)
    source = op.input(0)
    _moved(op, source)
    op.rank(source, 1, 6)
    order = op.constant(1, len(source.shape), dtypes=("int32",))
    if order is not None:
        is_order = sorted(order) == list(range(len(order)))
        op.require(is_order, "inputs", f"permute by {order}, expected each of 0..{len(order) - 1} once")
        op.shape(op.output, [source.shape[axis] for axis in order])
    op.elements(op.output, source.elements)


def _concatenation(op: Operator) -> None:
    op.count((1, 4096))
    first = op.input(0)
    op.rank(first, 1, 8)
    axis = op.axis(op.option("axis"), len(first.shape))
    op.activation()
    total = 0
    for position in range(len(op.inputs)):
        part = op.input(position)
        _moved(op, part)
        op.require(
            part.shape[:axis] == first.shape[:axis]
            and part.shape[axis + 1 :] == first.shape[axis + 1 :]
            and len(part.shape) == len(first.shape),
            "shape",
            f"of {part.where} is {list(part.shape)}, which does not join {list(first.shape)} on axis {axis}",
        )
        total += part.shape[axis]
    op.shape(op.output, (*first.shape[:axis], total, *first.shape[axis + 1 :]))


def _split(op: Operator) -> None:
    axes, source = op.constant(0, 1, dtypes=("int32",)), op.input(1)
    op.count(2, (1, 4096))
    count = op.option("numSplits")
    op.require(count == len(op.outputs), "numSplits", f"is {count}, there are {len(op.outputs)} outputs")
    _parts(op, source)
    if axes is None:
        return
    axis = op.axis(axes[0], len(source.shape))
    op.require(source.shape[axis] % count == 0, "numSplits", f"is {count}, axis {axis} has {source.shape[axis]}")
    for part in op.outputs:
        op.shape(part, (*source.shape[:axis], source.shape[axis] // count, *source.shape[axis + 1 :]))


def _split_v(op: Operator) -> None:
    op.count(3, (1, 4096))
    source, count = op.input(0), op.option("numSplits")
    op.require(count == len(op.outputs), "numSplits", f"is {count}, there are {len(op.outputs)} outputs")
    _parts(op, source)
    sizes, axes = op.constant(1, count), op.constant(2, 1)
    if sizes is None or axes is None:
        return
    axis = op.axis(axes[0], len(source.shape))
    if sizes.count(-1) == 1:
        sizes[sizes.index(-1)] = source.shape[axis] - sum(sizes) - 1
    op.require(
        min(sizes) >= 0 and sum(sizes) == source.shape[axis],
        "inputs",
        f"split {source.shape[axis]} into {sizes[:16]}",
    )
    for part, size in zip(op.outputs, sizes, strict=True):
        op.shape(part, (*source.shape[:axis], size, *source.shape[axis + 1 :]))


def _parts(op: Operator, source: Operand) -> None:
    for part in op.outputs:
        op.same_type(source, part)


def _pack(op: Operator) -> None:
    op.count((1, 4096))
    first = op.input(0)
    op.require(
        op.option("valuesCount") == len(op.inputs),
        "valuesCount",
        f"is {op.option('valuesCount')}, there are {len(op.inputs)} inputs",
    )
    axis = op.axis(op.option("axis"), len(first.shape) + 1)
    for position in range(len(op.inputs)):
        part = op.input(position)
        _moved(op, part)
        op.shape(part, first.shape)
    op.shape(op.output, (*first.shape[:axis], len(op.inputs), *first.shape[axis:]))


def _unpack(op: Operator) -> None:
    op.count(1, (1, 4096))
    source = op.input(0)
    op.rank(source, 1, 8)
    axis = op.axis(op.option("axis"), len(source.shape))
    op.require(
        op.option("num") == len(op.outputs) == source.shape[axis],
        "num",
        f"is {op.option('num')} with {len(op.outputs)} outputs, axis {axis} has {source.shape[axis]}",
    )
    _parts(op, source)
    for part in op.outputs:
        op.shape(part, (*source.shape[:axis], *source.shape[axis + 1 :]))


def _pad(op: Operator) -> None:
    op.count(3 if op.kind == "PADV2" else 2)
    source = op.input(0)
    _moved(op, source)
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
    _moved(op, source)
    repeats = op.constant(1, len(source.shape))
    if repeats is not None:
        op.shape(op.output, [size * repeat for size, repeat in zip(source.shape, repeats, strict=True)])


def _broadcast_to(op: Operator) -> None:
    op.count(2)
    source = op.input(0)
    _moved(op, source)
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
    _moved(op, source)
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
    _moved(op, source)
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
    _moved(op, source)
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
        moved = [size // block for size, block in zip(padded, blocks, strict=True)]
        op.shape(op.output, (source.shape[0] * prod(blocks), *moved, source.shape[-1]))
        return
    op.require(source.shape[0] % prod(blocks) == 0, "inputs", f"need a batch that {blocks} divides")
    moved = [size * block - side for size, block, side in zip(sizes, blocks, sides, strict=True)]
    op.shape(op.output, (source.shape[0] // prod(blocks), *moved, source.shape[-1]))


def _resize(op: Operator) -> None:
    op.count(2)
    source = op.input(0)
    _moved(op, source)
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
    "CONCATENATION": _concatenation,
    "DEPTH_TO_SPACE": _depth,
    "EXPAND_DIMS": _expand_dims,
    "FILL": _fill,
    "MIRROR_PAD": _pad,
    "PACK": _pack,
    "PAD": _pad,
    "PADV2": _pad,
    "RANK": _rank,
    "RESHAPE": _reshape,
    "RESIZE_BILINEAR": _resize,
    "RESIZE_NEAREST_NEIGHBOR": _resize,
    "REVERSE_V2": _reverse_v2,
    "SHAPE": _shape,
    "SPACE_TO_BATCH_ND": _batch_nd,
    "SPACE_TO_DEPTH": _depth,
    "SPLIT": _split,
    "SPLIT_V": _split_v,
    "SQUEEZE": _squeeze,
    "TILE": _tile,
    "TRANSPOSE": _transpose,
    "UNPACK": _unpack,
}
