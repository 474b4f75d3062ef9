"""Operators that pick elements by position, and that resize."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from ai_edge_litert import schema_py_generated as schema

from cases import Case
from cases._moves import Mover


def _gather(rng: np.random.Generator, dtypes: tuple[str, ...], *, computed: bool) -> Case:
    made = Mover(rng, dtypes)
    options = schema.GatherOptionsT()
    shape = made.shape()
    options.axis = axis = int(rng.integers(0, len(shape)))
    options.batchDims = batch = int(rng.integers(0, min(axis, 2) + 1))
    positions = (*shape[:batch], *(int(size) for size in rng.integers(1, 5, int(rng.integers(0, 3)))))
    if rng.integers(0, 2):
        options.axis -= len(shape)
    source, output = made.tensor(shape), made.tensor((*shape[:axis], *positions[batch:], *shape[axis + 1 :]))
    if computed:
        picked = made.model.tensor(positions, dtype="int32")
        flatbuffer = made.model.pack("GATHER", [source, picked], output, options, [picked, source])
        return Case(flatbuffer, {0: (0, shape[axis])})
    picked = made.numbers(rng.integers(0, shape[axis], positions))
    return Case(made.model.pack("GATHER", [source, picked], output, options, [source]))


def gather(rng: np.random.Generator) -> Case:
    """Constant positions on any axis, with up to two batch dimensions."""
    return _gather(rng, ("int8",), computed=False)


def gather__computed(rng: np.random.Generator) -> Case:
    """Positions that are an input of the model's."""
    return _gather(rng, ("int8",), computed=True)


def gather__wide(rng: np.random.Generator) -> Case:
    """Types that TFLite Micro does not gather."""
    return _gather(rng, ("int16", "int32", "bool"), computed=bool(rng.integers(0, 2)))


def gather__embedding(rng: np.random.Generator) -> Case:
    """Rows of a constant table, one for each step of a sequence."""
    made = Mover(rng)
    words, steps, depth = (int(value) for value in rng.integers(1, 9, 3))
    sequence, table = made.model.tensor((1, steps), dtype="int32"), made.constant((words, depth))
    output = made.tensor((1, steps, depth))
    flatbuffer = made.model.pack("GATHER", [table, sequence], output, schema.GatherOptionsT(), [sequence])
    return Case(flatbuffer, {0: (0, words)})


def embedding_lookup(rng: np.random.Generator) -> Case:
    """Rows of a constant table of two to four dimensions."""
    made = Mover(rng)
    shape = made.shape(2, 4)
    count = int(rng.integers(1, 6))
    sequence, table = made.model.tensor((count,), dtype="int32"), made.constant(shape)
    output = made.tensor((count, *shape[1:]))
    flatbuffer = made.model.pack("EMBEDDING_LOOKUP", [sequence, table], output, None, [sequence])
    return Case(flatbuffer, {0: (0, shape[0])})


def gather_nd(rng: np.random.Generator) -> bytes:
    """Constant indices, one to as many as there are dimensions."""
    made = Mover(rng)
    shape = made.shape(1, 5)
    count = int(rng.integers(1, len(shape) + 1))
    slices = tuple(int(size) for size in rng.integers(1, 4, int(rng.integers(0, 3))))
    source, output = made.tensor(shape), made.tensor((*slices, *shape[count:]))
    indices = made.numbers(rng.integers(0, shape[:count], (*slices, count)))
    return made.model.pack("GATHER_ND", [source, indices], output, schema.GatherNdOptionsT(), [source])


def gather_nd__computed(rng: np.random.Generator) -> Case:
    """One computed index for each slice."""
    made = Mover(rng)
    shape = made.shape(1, 4)
    count = int(rng.integers(1, 5))
    source, indices = made.tensor(shape), made.model.tensor((count, 1), dtype="int32")
    output = made.tensor((count, *shape[1:]))
    flatbuffer = made.model.pack("GATHER_ND", [source, indices], output, schema.GatherNdOptionsT(), [indices, source])
    return Case(flatbuffer, {0: (0, shape[0])})


def _resize(kind: str, options: Callable[[], Any], dtypes: tuple[str, ...]) -> Callable[[np.random.Generator], bytes]:
    def make(rng: np.random.Generator) -> bytes:
        made = Mover(rng, dtypes)
        rows, columns, channels = (int(value) for value in rng.integers(1, 9, 3))
        size = [int(value) for value in rng.integers(1, 20, 2)]
        if rng.integers(0, 3) == 0:
            size = [2 * rows, 2 * columns]
        chosen = options()
        mode = int(rng.integers(0, 3))
        chosen.alignCorners, chosen.halfPixelCenters = mode == 1, mode == 2
        source, output = made.tensor((1, rows, columns, channels)), made.tensor((1, *size, channels))
        return made.model.pack(kind, [source, made.numbers(size)], output, chosen, [source])

    return make


resize_nearest_neighbor = _resize("RESIZE_NEAREST_NEIGHBOR", schema.ResizeNearestNeighborOptionsT, ("int8", "int16"))
resize_bilinear = _resize("RESIZE_BILINEAR", schema.ResizeBilinearOptionsT, ("int8",))
resize_bilinear__int16 = _resize("RESIZE_BILINEAR", schema.ResizeBilinearOptionsT, ("int16",))


def dynamic_update_slice(rng: np.random.Generator) -> Case:
    """A box at a computed place, which may reach outside of the input."""
    made = Mover(rng, ("int8", "int16", "int32"))
    shape = made.shape()
    box = tuple(int(rng.integers(1, size + 1)) for size in shape)
    source, moved, output = made.tensor(shape), made.tensor(box), made.tensor(shape)
    starts = made.model.tensor((len(shape),), dtype="int32")
    flatbuffer = made.model.pack("DYNAMIC_UPDATE_SLICE", [source, moved, starts], output, None, [starts, source, moved])
    return Case(flatbuffer, {0: (-3, 9)})
