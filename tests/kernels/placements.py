"""Where else a program's tensors may lie, and in which other blocks its rows may be computed."""

from __future__ import annotations

import dataclasses

import numpy as np

from edgekit.engine.lowered import Lowered, row_bytes, row_shape
from edgekit.engine.program import Program
from edgekit.engine.types import Schedule, Step

Span = tuple[int, int]


def scattered(made: Program, rng: np.random.Generator) -> Program:
    """Compute in random blocks of rows, ascending or descending; all tensors apart from one another, at any word."""
    steps = tuple(
        Step(index, begin, end)
        for index, item in enumerate(made.lowered)
        if item.kernel
        for begin, end in _blocks(made, item, rng)
    )
    sizes = {("tensor", root): made.graph.tensors[root].size_bytes for root in _roots(made).values()}
    sizes |= {("scratch", index): size for index, (_, size) in made.memory.scratch.items()}
    offsets, end = {}, 4 * int(rng.integers(0, 4))
    for place in rng.permutation(len(sizes)):
        key = list(sizes)[place]
        offsets[key] = end
        # The next word or any of the three behind it: no kernel may count on more, nor touch what lies between.
        end = -(-(end + sizes[key]) // 4) * 4 + 4 * int(rng.integers(0, 4))
    memory = dataclasses.replace(
        made.memory,
        arena_bytes=-(-end // 16) * 16,
        offsets={tensor: offsets["tensor", root] for tensor, root in _roots(made).items()},
        scratch={index: (offsets["scratch", index], size) for index, (_, size) in made.memory.scratch.items()},
    )
    return dataclasses.replace(made, schedule=Schedule(steps, {}), memory=memory)


def _blocks(made: Program, item: Lowered, rng: np.random.Generator) -> list[Span]:
    rows = row_shape(made.graph.tensors[item.output])[0] if item.work_rows is None else item.work_rows
    size = rows if rng.integers(4) == 0 else int(rng.integers(1, rows + 1))
    blocks = [(begin, min(begin + size, rows)) for begin in range(0, rows, size)]
    in_order = item.work_rows is not None or item.keeps_scratch or item.states
    return blocks if in_order or rng.integers(2) else blocks[::-1]


def _roots(made: Program) -> dict[int, int]:
    """Placed tensor -> itself, or the tensor that it renames."""
    roots = {tensor: tensor for tensor in made.memory.offsets}
    for item in made.lowered:
        if not item.kernel and item.inputs[0] in roots:
            roots[item.output] = roots[item.inputs[0]]
    return roots


def tensor_spans(made: Program) -> dict[int, Span]:
    """Tensor -> the bytes [begin, end) that it has in the arena."""
    spans = {}
    for index, offset in made.memory.offsets.items():
        tensor = made.graph.tensors[index]
        rows = row_shape(tensor)[0]
        spans[index] = offset, offset + min(made.schedule.ring_rows.get(index, rows), rows) * row_bytes(tensor)
    return spans


def free_spans(made: Program) -> list[Span]:
    """Bytes [begin, end) of the arena that belong to nothing."""
    scratch = [(offset, offset + size) for offset, size in made.memory.scratch.values()]
    free, end = [], 0
    for first, last in sorted([*tensor_spans(made).values(), *scratch]):
        if first > end:
            free.append((end, first))
        end = max(end, last)
    return [*free, (end, made.memory.arena_bytes)] if end < made.memory.arena_bytes else free


def kept_inputs(made: Program) -> list[int]:
    """Positions of the model's inputs whose bytes nothing else has: no layer may change them."""
    roots, spans = _roots(made), tensor_spans(made)
    scratch = [(offset, offset + size) for offset, size in made.memory.scratch.values()]

    def alone(index: int) -> bool:
        begin, end = spans[index]
        others = [span for other, span in spans.items() if roots[other] != roots[index]] + scratch
        return all(end <= first or last <= begin for first, last in others)

    return [position for position, index in enumerate(made.graph.inputs) if alone(index)]
