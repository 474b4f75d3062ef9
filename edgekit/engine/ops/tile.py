"""TILE: the input repeated along its axes. Twin: firmware/engine/strided_copy.h."""

from __future__ import annotations

from edgekit.engine.lowered import Lowered
from edgekit.engine.ops import _move
from edgekit.engine.ops._copy import Box, Loop, copy_or_rename, strides
from edgekit.tflite.graph import Graph, Op


def repeats_give_the_output(graph: Graph, op: Op) -> str | None:
    """a number of repeats for each dimension, that give the output's shape"""
    before, after = graph.tensors[op.inputs[0]].shape, graph.tensors[op.outputs[0]].shape
    repeats = _move.parameter(graph, op, 1)
    fits = len(repeats) == len(before) and tuple(a * b for a, b in zip(before, repeats, strict=True)) == after
    return None if fits else f"{list(before)} times {list(repeats)} to {list(after)}"


CHECKS = (*_move.CHECKS, repeats_give_the_output)


def lower(graph: Graph, op: Op) -> tuple[Lowered, ...]:
    """Lower one tiling; each axis becomes a loop over repeats, which does not move the source, around its own."""
    before, after = graph.tensors[op.inputs[0]].shape, graph.tensors[op.outputs[0]].shape
    axes = zip(_move.parameter(graph, op, 1), before, strides(before), strides(after), strict=True)
    loops = [
        loop
        for repeats, size, source, target in axes
        for loop in (Loop(repeats, 0, size * target), Loop(size, source, target))
    ]
    return copy_or_rename(graph, op.inputs[0], op.outputs[0], Box(tuple(loops)))
