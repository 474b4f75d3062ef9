"""STRIDED_SLICE. Twin: firmware/engine/strided_copy.h."""

from __future__ import annotations

from dataclasses import dataclass

from edgekit.engine.lowered import Lowered
from edgekit.engine.ops import _move
from edgekit.engine.ops._copy import box, copy_or_rename, strides
from edgekit.tflite.graph import Graph, Op


@dataclass(frozen=True, slots=True)
class _Range:
    """Positions first, first + step, ... along one axis; `dropped` where the output has no such axis."""

    first: int
    step: int
    count: int
    dropped: bool


def masks_are_known(graph: Graph, op: Op) -> str | None:  # noqa: ARG001
    """no ellipsis and no new axes, and ends counted from the start of the axis"""
    for name in ("ellipsisMask", "newAxisMask", "offset"):
        if op.options.get(name):
            return f"{name} {int(op.options[name])}"
    return None


def ranges_give_the_output(graph: Graph, op: Op) -> str | None:
    """a begin, an end and a stride other than 0 for each dimension, that give the output's shape"""
    before, after = graph.tensors[op.inputs[0]].shape, graph.tensors[op.outputs[0]].shape
    begin, end, step = (_move.parameter(graph, op, position) for position in (1, 2, 3))
    came = f"begin {list(begin)}, end {list(end)}, strides {list(step)} of {list(before)} to {list(after)}"
    if not len(begin) == len(end) == len(step) == len(before) or 0 in step:
        return came
    ranges = _ranges(graph, op)
    inside = all(0 <= item.first < size for item, size in zip(ranges, before, strict=True))
    return None if inside and tuple(item.count for item in ranges if not item.dropped) == after else came


def _ranges(graph: Graph, op: Op) -> list[_Range]:
    parameters = (_move.parameter(graph, op, position) for position in (1, 2, 3))
    shape = graph.tensors[op.inputs[0]].shape
    return [
        _range(size, *numbers, masks=tuple(bool(int(op.options.get(f"{name}Mask", 0)) >> axis & 1) for name in _MASKS))
        for axis, (size, *numbers) in enumerate(zip(shape, *parameters, strict=True))
    ]


_MASKS = ("begin", "end", "shrinkAxis")


def _range(size: int, begin: int, end: int, step: int, *, masks: tuple[bool, ...]) -> _Range:
    """Python's own slices clamp as TFLite does; an axis that is dropped keeps one position."""
    from_start, to_end, dropped = masks
    first, last, _ = slice(None if from_start else begin, None if to_end else end, step).indices(size)
    count = 1 if dropped else len(range(first, last, step))
    return _Range(first, step, count, dropped)


CHECKS = (*_move.CHECKS, masks_are_known, ranges_give_the_output)


def lower(graph: Graph, op: Op) -> tuple[Lowered, ...]:
    """Lower one strided slice."""
    after, steps = graph.tensors[op.outputs[0]].shape, strides(graph.tensors[op.inputs[0]].shape)
    ranges = list(zip(_ranges(graph, op), steps, strict=True))
    start = sum(item.first * step for item, step in ranges)
    source = [item.step * step for item, step in ranges if not item.dropped]
    return copy_or_rename(graph, op.inputs[0], op.outputs[0], box(after, source, strides(after), start=start))
