"""Which rows of which memory each row of work reads and writes, whatever the schedule.

A place is the memory of one tensor, or of several where a RESHAPE only gives it another name. It is counted in units:
the rows of its tensor, or where its names have rows of different sizes the largest bytes that all of them are made of.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from edgekit.engine.lowered import Lowered, RowsRead, row_bytes, row_shape
from edgekit.tflite.graph import Graph, Tensor

# Names of one place with rows of so different sizes count it as one unit.
_MOST_UNITS = 1024


@dataclass(frozen=True, slots=True)
class Place:
    """The memory of one tensor and of what only renames it.

    Attributes:
        root: the tensor whose name it has.
        units: how many, in the order of memory.
        unit_bytes: bytes of each.
        names: tensors that lie in it, the root first.
        may_ring: all its names have the same rows, so that it can keep a few of them.
    """

    root: int
    units: int
    unit_bytes: int
    names: tuple[int, ...]
    may_ring: bool


@dataclass(frozen=True, slots=True, eq=False)
class Span:
    """Units [first[y], last[y]) of a place, for each row of work y; none where first is last.

    Attributes:
        root: the place.
        first, last: by row of work.
        is_whole: every row of work needs the whole place.
    """

    root: int
    first: NDArray[np.int64]
    last: NDArray[np.int64]
    is_whole: bool = False


@dataclass(frozen=True, slots=True, eq=False)
class Work:
    """What one layer touches.

    Attributes:
        rows: of work; see `Lowered.work_rows`.
        by_rows: it computes row by row, ascending; else all rows of a step count as written with its first and its
            inputs as read until its last.
        reads: for each input in the arena.
        write: of its output.
        scratch_bytes: work memory.
        keeps_scratch: from its first row to its last.
        constant_bytes: read once a step.
        states: places of what it keeps from call to call.
    """

    rows: int
    by_rows: bool
    reads: tuple[Span, ...]
    write: Span
    scratch_bytes: int
    keeps_scratch: bool
    constant_bytes: int
    states: tuple[int, ...]


@dataclass(frozen=True, slots=True, eq=False)
class Access:
    """All that a model's layers touch.

    Attributes:
        places: by root.
        owner: tensor -> root.
        work: by position in `Program.lowered`, without layers that only rename.
        inputs, outputs, states: roots, each once.
        writers: root -> layers that write it, in order.
        readers: root -> layers that read it, in order.
    """

    places: Mapping[int, Place]
    owner: Mapping[int, int]
    work: Mapping[int, Work]
    inputs: tuple[int, ...]
    outputs: tuple[int, ...]
    states: tuple[int, ...]
    writers: Mapping[int, tuple[int, ...]]
    readers: Mapping[int, tuple[int, ...]]


def access(graph: Graph, lowered: Sequence[Lowered]) -> Access:
    """Return what the layers of a model touch."""
    owner = owners(graph, lowered)
    names: dict[int, list[int]] = {}
    for tensor, root in owner.items():
        names.setdefault(root, []).append(tensor)
    used = {index for item in lowered for index in (*item.inputs, item.output, *item.states)}
    used |= {*graph.inputs, *graph.outputs}
    places = {
        root: _place(graph, root, tuple(tensors))
        for root, tensors in names.items()
        if any(tensor in used for tensor in tensors)
    }
    work = {layer: _work(graph, places, owner, item) for layer, item in enumerate(lowered) if item.kernel}
    writers: dict[int, list[int]] = {root: [] for root in places}
    readers: dict[int, list[int]] = {root: [] for root in places}
    for layer, one in work.items():
        writers[one.write.root].append(layer)
        for root in dict.fromkeys(span.root for span in one.reads):
            readers[root].append(layer)
    kept = (index for item in lowered for index in (*item.inputs, *item.states) if graph.tensors[index].is_variable)
    return Access(
        places,
        owner,
        work,
        inputs=tuple(dict.fromkeys(owner[index] for index in graph.inputs)),
        outputs=tuple(dict.fromkeys(owner[index] for index in graph.outputs)),
        states=tuple(dict.fromkeys(owner[index] for index in kept)),
        writers={root: tuple(layers) for root, layers in writers.items()},
        readers={root: tuple(layers) for root, layers in readers.items()},
    )


def owners(graph: Graph, lowered: Sequence[Lowered]) -> dict[int, int]:
    """Return tensor -> the tensor whose place it shares: itself, or what a reshape renamed."""
    owner = {tensor.index: tensor.index for tensor in graph.tensors if tensor.data is None}
    for item in lowered:
        if not item.kernel and item.inputs[0] in owner:
            owner[item.output] = owner[item.inputs[0]]
    return owner


def _place(graph: Graph, root: int, names: tuple[int, ...]) -> Place:
    sizes = [row_bytes(graph.tensors[index]) for index in names]
    total = graph.tensors[root].size_bytes
    unit = math.gcd(*sizes)
    if not unit or total // unit > max(_MOST_UNITS, total // max(sizes)):
        unit = max(total, 1)
    units = max(1, total // unit)
    shapes = {row_shape(graph.tensors[index]) for index in names}
    ordered = (root, *(index for index in names if index != root))
    return Place(root, units, total // units, ordered, may_ring=len(shapes) == 1)


def _work(graph: Graph, places: Mapping[int, Place], owner: Mapping[int, int], item: Lowered) -> Work:
    output = graph.tensors[item.output]
    rows = item.work_rows or row_shape(output)[0]
    spans = []
    windows: tuple[RowsRead | None, ...] = (*item.rows_read, *([None] * len(item.inputs)))
    for index, window in zip(item.inputs, windows, strict=False):
        if index in owner:
            spans.append(_read(places[owner[index]], graph.tensors[index], window, rows))
    constants = sum(constant.values.nbytes for constant in item.constants)
    return Work(
        rows=rows,
        by_rows=any(window is not None for window in item.rows_read),
        reads=tuple(spans),
        write=_written(places[owner[item.output]], output, rows, at_end=item.work_rows is not None),
        scratch_bytes=item.scratch_bytes or 0,
        keeps_scratch=item.keeps_scratch,
        constant_bytes=constants + sum(graph.tensors[i].size_bytes for i in item.inputs if i not in owner),
        states=tuple(
            owner[index] for index in dict.fromkeys((*item.inputs, *item.states)) if graph.tensors[index].is_variable
        ),
    )


def _read(place: Place, tensor: Tensor, window: RowsRead | None, rows: int) -> Span:
    if window is None:
        return Span(place.root, np.zeros(rows, np.int64), np.full(rows, place.units, np.int64), is_whole=True)
    count = row_shape(tensor)[0]
    first = np.clip(np.arange(rows) * window.step - window.before, 0, count)
    last = np.clip(np.arange(rows) * window.step - window.before + window.count, 0, count)
    return _units(place, tensor, first, np.maximum(first, last))


def _written(place: Place, tensor: Tensor, rows: int, *, at_end: bool) -> Span:
    if not at_end:
        return _units(place, tensor, np.arange(rows), np.arange(1, rows + 1))
    last = np.zeros(rows, np.int64)
    last[-1] = place.units
    return Span(place.root, np.zeros(rows, np.int64), last)


def _units(place: Place, tensor: Tensor, first: NDArray[np.int64], last: NDArray[np.int64]) -> Span:
    size, unit = row_bytes(tensor), max(1, place.unit_bytes)
    if size == unit:
        return Span(place.root, first, last)
    return Span(place.root, first * size // unit, np.where(last > first, -(-last * size // unit), first * size // unit))
