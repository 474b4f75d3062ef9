"""What operators that deal space out to the batch and back share.

Both pair a wide tensor (batch, height, width, channels) with a dealt one (blocks * batch, ...): the pixel at
(block * i + shift - side) of the wide one along each axis is pixel i of the dealt image that stands for `shift`.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import dataclass

from edgekit.engine.ops import _move
from edgekit.engine.ops._copy import strides
from edgekit.tflite.graph import Graph, Op


@dataclass(frozen=True, slots=True)
class Piece:
    """The pixels that one dealt image shares with its wide one.

    Attributes:
        image: index of the dealt image.
        counts: pixels along each axis, then channels.
        wide: element of the wide tensor at which they begin.
        dealt: element of the dealt tensor at which they begin.
        wide_steps, dealt_steps: elements between them, as `counts`.
    """

    image: int
    counts: tuple[int, ...]
    wide: int
    dealt: int
    wide_steps: tuple[int, ...]
    dealt_steps: tuple[int, ...]


def shapes(graph: Graph, op: Op) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """Return the shapes of the wide and of the dealt tensor."""
    before, after = graph.tensors[op.inputs[0]].shape, graph.tensors[op.outputs[0]].shape
    return (before, after) if op.kind == "SPACE_TO_BATCH_ND" else (after, before)


def blocks_fit(graph: Graph, op: Op) -> str | None:
    """a sequence or image whose size with its paddings (or crops) is blocks times that of the dealt one"""
    wide, dealt = shapes(graph, op)
    block, sides = _move.parameter(graph, op, 1), _move.parameter(graph, op, 2)
    came = f"blocks {list(block)}, sides {list(sides)} between {list(wide)} and {list(dealt)}"
    rank = len(block) + 2
    if rank not in (3, 4) or {len(wide), len(dealt)} != {rank} or len(sides) != 2 * len(block):
        return came
    if min(block) < 1 or min(sides) < 0 or wide[-1] != dealt[-1]:
        return came
    count = wide[0]
    for axis, size in enumerate(block):
        count *= size
        if wide[axis + 1] + sides[2 * axis] + sides[2 * axis + 1] != dealt[axis + 1] * size:
            return came
    return None if count == dealt[0] else came


def pieces(graph: Graph, op: Op) -> Iterator[Piece]:
    """Yield what each dealt image shares with the wide tensor, where that is anything."""
    wide, dealt = shapes(graph, op)
    block, sides = _move.parameter(graph, op, 1), _move.parameter(graph, op, 2)
    wide_steps, dealt_steps = strides(wide), strides(dealt)
    steps = (*(size * step for size, step in zip(block, wide_steps[1:-1], strict=True)), 1)
    shifts = itertools.product(*(range(size) for size in block))
    for image, (shift, batch) in enumerate(itertools.product(shifts, range(wide[0]))):
        begin, counts = batch * wide_steps[0], []
        into = image * dealt_steps[0]
        for axis, size in enumerate(block):
            lead = sides[2 * axis] - shift[axis]
            first = max(0, -(-lead // size))
            counts.append(max(0, min(dealt[axis + 1], -(-(wide[axis + 1] + lead) // size)) - first))
            begin += (first * size - lead) * wide_steps[axis + 1]
            into += first * dealt_steps[axis + 1]
        if all(counts):
            yield Piece(image, (*counts, wide[-1]), begin, into, steps, dealt_steps[1:])
