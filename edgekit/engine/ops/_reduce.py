"""How a reduction walks its input. Twin: firmware/engine/reduce.h."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from edgekit.engine.ops import _move
from edgekit.engine.ops._copy import strides
from edgekit.tflite.graph import Graph, Op

_LOOPS = 3

_Walk = list[tuple[int, int]]


def axes_fit(graph: Graph, op: Op) -> str | None:
    """constant axes of an input of up to six dimensions, and an output without them or with 1 in their place"""
    source, axes = graph.tensors[op.inputs[0]], graph.tensors[op.inputs[1]]
    rank = len(source.shape)
    if axes.data is None or axes.dtype != "int32" or rank > 2 * _LOOPS:
        return f"axes of type {axes.dtype}{'' if axes.data is not None else ' that are computed'}, {rank} dimensions"
    over = reduced_axes(graph, op)
    if any(not 0 <= axis < rank for axis in over):
        return f"axes {sorted(over)} of {rank} dimensions"
    dropped = tuple(size for axis, size in enumerate(source.shape) if axis not in over)
    kept = tuple(1 if axis in over else size for axis, size in enumerate(source.shape))
    after = graph.tensors[op.outputs[0]].shape
    return None if after in (dropped, kept) else f"{list(source.shape)} over axes {sorted(over)} to {list(after)}"


def reduced_axes(graph: Graph, op: Op) -> frozenset[int]:
    """Return the axes, counted from the front."""
    rank = len(graph.tensors[op.inputs[0]].shape)
    return frozenset(_move.axis_of(number, rank) for number in _move.parameter(graph, op, 1))


def reduced_elements(graph: Graph, op: Op) -> int:
    """Return how many elements of the input become one of the output."""
    return graph.tensors[op.inputs[0]].elements // graph.tensors[op.outputs[0]].elements


def reduction_fields(graph: Graph, op: Op) -> dict[str, Any]:
    """Return the fields of `ek_reduction`."""
    kept, over = walks(graph.tensors[op.inputs[0]].shape, reduced_axes(graph, op))
    inner_count, inner_step = over.pop() if over else (1, 1)
    return {
        "kept": axes_fields(kept),
        "outer": axes_fields(over),
        "outer_count": reduced_elements(graph, op) // inner_count,
        "inner_count": inner_count,
        "inner_step": inner_step,
    }


def walks(shape: tuple[int, ...], over: Collection[int]) -> tuple[_Walk, _Walk]:
    """Return (count, step) of the kept and of the reduced dimensions, neighbors merged, without sizes of 1."""
    kept: _Walk = []
    reduced: _Walk = []
    before = None
    for axis, (size, step) in enumerate(zip(shape, strides(shape), strict=True)):
        if size == 1:
            continue
        walk = reduced if axis in over else kept
        count = walk.pop()[0] * size if walk is before else size
        walk.append((count, step))
        before = walk
    return kept, reduced


def axes_fields(walk: _Walk) -> dict[str, Any]:
    """Return the fields of `ek_axes`."""
    padding = (0,) * (_LOOPS - len(walk))
    return {
        "loops": len(walk),
        "count": (*(count for count, _ in walk), *padding),
        "step": (*(step for _, step in walk), *padding),
    }
