"""MIRROR_PAD: edges that repeat the input backwards. Twin: firmware/engine/strided_copy.h."""

from __future__ import annotations

import itertools

from edgekit.engine.lowered import Lowered
from edgekit.engine.ops import _move
from edgekit.engine.ops._copy import box, copy, copy_or_rename, strides
from edgekit.tflite.graph import Graph, Op

# Where a run of output positions begins, where it reads first, how many it has, and in which direction it reads.
_Run = tuple[int, int, int, int]
_REFLECT = 0


def paddings_can_be_mirrored(graph: Graph, op: Op) -> str | None:
    """paddings, two a dimension, that the input is large enough for and that give the output's shape"""
    before, after = graph.tensors[op.inputs[0]].shape, graph.tensors[op.outputs[0]].shape
    sides = _move.parameter(graph, op, 1)
    came = f"paddings {list(sides)} of {list(before)} to {list(after)}"
    if len(sides) != 2 * len(before) or len(before) != len(after):
        return came
    pairs = list(zip(sides[::2], sides[1::2], strict=True))
    reach = [size - _inset(op) for size in before]
    inside = all(0 <= side <= most for pair, most in zip(pairs, reach, strict=True) for side in pair)
    fits = after == tuple(size + sum(pair) for size, pair in zip(before, pairs, strict=True))
    return None if inside and fits else came


def _inset(op: Op) -> int:
    """1 where the mirror stands on the outermost element (REFLECT), 0 where it stands behind it (SYMMETRIC)."""
    return 1 if int(op.options.get("mode", _REFLECT)) == _REFLECT else 0


CHECKS = (*_move.CHECKS, paddings_can_be_mirrored)


def lower(graph: Graph, op: Op) -> tuple[Lowered, ...]:
    """Lower one padding to a copy for the input and one for each mirrored side and corner."""
    source, target = op.inputs[0], op.outputs[0]
    before, after = graph.tensors[source].shape, graph.tensors[target].shape
    reads, writes = strides(before), strides(after)
    if before == after:
        return copy_or_rename(graph, source, target, box(after, reads, writes))
    sides = _move.parameter(graph, op, 1)
    axes = [_runs(size, sides[2 * axis], sides[2 * axis + 1], _inset(op)) for axis, size in enumerate(before)]
    parts: tuple[Lowered, ...] = ()
    for runs in itertools.product(*axes):
        start = sum(first * step for (_, first, _, _), step in zip(runs, reads, strict=True))
        into = sum(begin * step for (begin, _, _, _), step in zip(runs, writes, strict=True))
        steps = [direction * step for (_, _, _, direction), step in zip(runs, reads, strict=True)]
        parts += copy(graph, source, target, box([run[2] for run in runs], steps, writes, start=start, into=into))
    return parts


def _runs(size: int, left: int, right: int, inset: int) -> list[_Run]:
    """The mirrored left, the input itself, the mirrored right, without what is empty."""
    runs = [(0, left - 1 + inset, left, -1), (left, 0, size, 1), (left + size, size - 1 - inset, right, -1)]
    return [run for run in runs if run[2]]
