"""Operators that choose elements by index, or that give one."""

from __future__ import annotations

from edgekit.tflite.guard.operators import Operator
from edgekit.tflite.guard.rules.elementwise import sum_fits

_MASKS = ("beginMask", "endMask", "ellipsisMask", "newAxisMask", "shrinkAxisMask")


def _slice(op: Operator) -> None:
    op.count(3)
    source = op.input(0)
    op.same_type(source, op.output)
    op.same_type(op.input(1), op.input(2))
    op.rank(source, 1, 5)
    count = len(source.shape)
    begins, sizes = op.constant(1, count), op.constant(2, count)
    if begins is None or sizes is None:
        return
    whole = [
        length - begin if size == -1 else size for length, begin, size in zip(source.shape, begins, sizes, strict=True)
    ]
    for length, begin, size in zip(source.shape, begins, whole, strict=True):
        op.require(
            begin >= 0 and size > 0 and begin + size <= length,
            "inputs",
            f"cut {size} positions at {begin} out of {length}",
        )
    op.shape(op.output, whole)


def _strided_slice(op: Operator) -> None:
    op.count(4)
    source = op.input(0)
    op.same_type(source, op.output)
    op.rank(source, 1, 5)
    masks = {name: int(op.option(name)) for name in _MASKS}
    count = op.input(1).elements
    for name, mask in masks.items():
        op.require(0 <= mask < 2**8, name, f"is {mask}, there are {count} dimensions")
    lists = [op.constant(position, count, dtypes=("int32",)) for position in (1, 2, 3)]
    if masks["ellipsisMask"] or masks["newAxisMask"]:
        op.require(not op.runner, "ellipsisMask or newAxisMask", "is set, expected plain slices")
        return
    op.require(count <= len(source.shape), "inputs", f"slice {count} dimensions of {len(source.shape)}")
    if lists[0] is None or lists[1] is None or lists[2] is None:
        return
    sizes = []
    for axis, (begin, end, stride) in enumerate(zip(lists[0], lists[1], lists[2], strict=True)):
        length, bit = source.shape[axis], 1 << axis
        op.require(stride != 0, "inputs", "have a stride of 0")
        if masks["shrinkAxisMask"] & bit:
            op.axis(begin, length, "inputs")
            continue
        first = None if masks["beginMask"] & bit else begin
        last = None if masks["endMask"] & bit else _end(op, begin, end)
        taken = len(range(length)[first:last:stride])
        op.require(taken > 0, "inputs", f"take nothing of axis {axis}: {begin}..{end} by {stride} of {length}")
        sizes.append(taken)
    op.shape(op.output, (*sizes, *source.shape[count:]))


def _end(op: Operator, begin: int, end: int) -> int:
    return begin + end if getattr(op.options, "offset", False) else end


def _gather(op: Operator) -> None:
    op.count(2)
    source, rows = op.input(0), op.input(1)
    op.one_of(rows, "int32", "int64", "int16")
    op.same_type(source, op.output)
    op.rank(source, 1, 8)
    axis = op.axis(op.option("axis"), len(source.shape))
    shared = int(op.option("batchDims"))
    shared = shared + len(rows.shape) if shared < 0 else shared
    op.require(
        0 <= shared <= min(axis, len(rows.shape)) and source.shape[:shared] == rows.shape[:shared],
        "batchDims",
        f"is {op.option('batchDims')} with shapes {list(source.shape)} and {list(rows.shape)}",
    )
    _inside(op, 1, source.shape[axis])
    op.shape(op.output, (*source.shape[:axis], *rows.shape[shared:], *source.shape[axis + 1 :]))


def _inside(op: Operator, position: int, size: int) -> None:
    values = op.input(position).values()
    if values is not None:
        inside = bool(((values >= 0) & (values < size)).all())
        op.require(inside, "inputs", f"have an index in {op.input(position).where} outside 0..{size - 1}")


def _gather_nd(op: Operator) -> None:
    op.count(2)
    source, rows = op.input(0), op.input(1)
    op.one_of(rows, "int32", "int64", "int16")
    op.same_type(source, op.output)
    op.rank(source, 1, 8)
    op.rank(rows, 1, 8)
    depth = rows.shape[-1]
    op.require(depth <= len(source.shape), "shape", f"of {rows.where} names {depth} of {len(source.shape)} dimensions")
    values = rows.values()
    if values is not None:
        table = values.reshape(-1, depth)
        inside = bool(((table >= 0) & (table < source.shape[:depth])).all())
        op.require(inside, "inputs", f"have an index outside {list(source.shape[:depth])}")
    op.shape(op.output, (*rows.shape[:-1], *source.shape[depth:]))


def _dynamic_update_slice(op: Operator) -> None:
    op.count(3)
    source, update = op.input(0), op.input(1)
    op.same_type(source, update, op.output)
    op.one_of(op.input(2), "int32", "int64")
    op.elements(op.input(2), len(source.shape))
    op.rank(update, len(source.shape))
    fits = all(part <= whole for part, whole in zip(update.shape, source.shape, strict=True))
    op.require(fits, "shape", f"of {update.where} is {list(update.shape)}, more than {list(source.shape)}")
    op.shape(op.output, source.shape)


def _arg(op: Operator) -> None:
    op.count(2)
    source = op.input(0)
    op.one_of(source, "float32", "int8", "uint8", "int32", "bool")
    op.one_of(op.output, "int32", "int64")
    op.rank(source, 1, 8)
    axes = op.constant(1, 1)
    if axes is not None:
        axis = op.axis(axes[0], len(source.shape))
        op.shape(op.output, source.shape[:axis] + source.shape[axis + 1 :])


def _cumsum(op: Operator) -> None:
    op.count(2)
    source = op.input(0)
    op.one_of(source, "float32", "int8", "int32", "int64")
    op.same_type(source, op.output)
    op.scaled(source, op.output)
    op.rank(source, 1, 8)
    axes = op.constant(1, 1, dtypes=("int32",))
    if axes is not None:
        op.axis(axes[0], len(source.shape))
    op.option("exclusive")
    op.shape(op.output, source.shape)
    sum_fits(op, source)


def _one_hot(op: Operator) -> None:
    op.count(4)
    rows, on, off = op.input(0), op.input(2), op.input(3)
    op.one_of(rows, "int32", "int64")
    op.same_type(on, off, op.output)
    op.elements(on, 1)
    op.elements(off, 1)
    axis = op.axis(op.option("axis"), len(rows.shape) + 1)
    depth = op.constant(1, 1, dtypes=("int32",))
    if depth is not None:
        op.shape(op.output, (*rows.shape[:axis], depth[0], *rows.shape[axis:]))


def _top_k(op: Operator) -> None:
    op.count(2, 2)
    source, (values, rows) = op.input(0), op.outputs
    op.rank(source, 1, 8)
    op.same_type(source, values)
    op.one_of(rows, "int32", "int16")
    count = op.constant(1, 1, dtypes=("int32", "int16"))
    if count is not None:
        op.require(1 <= count[0] <= source.shape[-1], "inputs", f"ask for {count[0]} of {source.shape[-1]}")
        op.shape(values, (*source.shape[:-1], count[0]))
    op.shape(rows, values.shape)


RULES = {
    "ARG_MAX": _arg,
    "ARG_MIN": _arg,
    "CUMSUM": _cumsum,
    "DYNAMIC_UPDATE_SLICE": _dynamic_update_slice,
    "GATHER": _gather,
    "GATHER_ND": _gather_nd,
    "ONE_HOT": _one_hot,
    "SLICE": _slice,
    "STRIDED_SLICE": _strided_slice,
    "TOPK_V2": _top_k,
}
