"""Operators that reorder, cut and join elements without computing."""

from __future__ import annotations

from edgekit.tflite.guard.operators import Operator
from edgekit.tflite.guard.rules._shapes import moved
from edgekit.tflite.guard.tensors import Operand


def _reshape(op: Operator) -> None:
    op.count((1, 2))
    source, output = op.input(0), op.output
    moved(op, source)
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
    moved(op, source)
    named = op.option("squeezeDims")
    axes = {op.axis(int(axis), len(source.shape), "squeezeDims") for axis in (named if named is not None else ())}
    for axis in axes:
        op.require(source.shape[axis] == 1, "squeezeDims", f"has {axis}, where {source.where} has {source.shape[axis]}")
    kept = [size for axis, size in enumerate(source.shape) if (axis not in axes if axes else size != 1)]
    op.shape(op.output, kept)


def _expand_dims(op: Operator) -> None:
    op.count(2)
    source = op.input(0)
    moved(op, source)
    axes = op.constant(1, 1)
    if axes is not None:
        axis = op.axis(axes[0], len(source.shape) + 1)
        op.shape(op.output, (*source.shape[:axis], 1, *source.shape[axis:]))
    op.elements(op.output, source.elements)


def _transpose(op: Operator) -> None:
    op.count(2)
    source = op.input(0)
    moved(op, source)
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
        moved(op, part)
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
        moved(op, part)
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


RULES = {
    "CONCATENATION": _concatenation,
    "EXPAND_DIMS": _expand_dims,
    "PACK": _pack,
    "RESHAPE": _reshape,
    "SPLIT": _split,
    "SPLIT_V": _split_v,
    "SQUEEZE": _squeeze,
    "TRANSPOSE": _transpose,
    "UNPACK": _unpack,
}
