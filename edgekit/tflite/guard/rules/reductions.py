"""Operators that make one value of many along some axes."""

from __future__ import annotations

from edgekit.tflite.guard.operators import Operator

_NUMBERS = ("float32", "int8", "uint8", "int16", "int32", "int64")
_LOGICAL = ("REDUCE_ANY", "REDUCE_ALL")


def _reduce(op: Operator) -> None:
    op.count(2)
    source = op.input(0)
    op.one_of(source, *(("bool",) if op.kind in _LOGICAL else _NUMBERS))
    op.same_type(source, op.output)
    op.scaled(source, op.output)
    op.rank(source, 0, 8)
    keeps = bool(op.option("keepDims"))
    named = op.constant(1, dtypes=("int32",))
    if named is None:
        return
    axes = {op.axis(axis, len(source.shape)) for axis in named} if source.shape else set()
    shape = [1 if axis in axes else size for axis, size in enumerate(source.shape) if keeps or axis not in axes]
    op.shape(op.output, shape)


RULES = dict.fromkeys("MEAN SUM REDUCE_MAX REDUCE_MIN REDUCE_PROD REDUCE_ANY REDUCE_ALL".split(), _reduce)
