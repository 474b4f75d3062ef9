"""The loops of operators with broadcasting, as `firmware/engine/binary.h` walks them."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from edgekit.engine.lowered import RowsRead, row_shape
from edgekit.tflite.graph import Graph, Op, Tensor

_LOOPS = 5


def shapes_broadcast(graph: Graph, op: Op) -> str | None:
    """inputs that broadcast to the output's shape, of at most 6 dimensions"""
    shape = graph.tensors[op.outputs[0]].shape
    inputs = [graph.tensors[index].shape for index in op.inputs]
    longest = max(inputs, key=len)
    sizes = [{_padded(other, len(longest))[axis] for other in inputs} - {1} for axis in range(len(longest))]
    fits = len(shape) <= 6 and all(len(found) <= 1 for found in sizes)
    if fits and tuple(max(found, default=1) for found in sizes) == shape:
        return None
    return f"shapes {', '.join(str(list(other)) for other in inputs)} to {list(shape)}"


def loop_fields(output: Tensor, inputs: Sequence[Tensor]) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """Return the fields of `ek_loops` and those of an `ek_operand` for each input.

    Example:
        >>> from edgekit.tflite.graph import Tensor
        >>> image, bias = (Tensor(0, "", shape, "int8", None, None) for shape in [(1, 4, 5, 6), (6,)])
        >>> loops, operands = loop_fields(image, [image, bias])
        >>> loops["size"][:2], [operand["step"][:2] for operand in operands], operands[0]["follows_rows"]
        ((6, 5), [(1, 6), (1, 0)], 1)
    """
    rank = len(output.shape)
    row_axis = -1 if rank < 2 else int(rank >= 3 and output.shape[0] == 1)
    strides = [_strides(tensor.shape, output.shape) for tensor in inputs]
    sizes: list[int] = []
    steps: list[list[int]] = []  # of each loop, of each input
    for axis in reversed(range(row_axis + 1, rank)):
        size, step = output.shape[axis], [stride[axis] for stride in strides]
        if sizes and (size == 1 or step == [inner * sizes[-1] for inner in steps[-1]]):
            sizes[-1] *= size
        elif sizes and sizes[-1] == 1:
            sizes[-1], steps[-1] = size, step
        else:
            sizes.append(size)
            steps.append(step)
    sizes, steps = sizes or [1], steps or [[0] * len(inputs)]
    loops = {
        "dimensions": len(sizes),
        "runs": math.prod(sizes[1:]),
        "size": _filled(sizes, 1),
    }
    operands = [
        _operand(output, tensor, 0 if row_axis < 0 else strides[place][row_axis], [step[place] for step in steps])
        for place, tensor in enumerate(inputs)
    ]
    return loops, operands


def rows_read(operands: Sequence[Mapping[str, Any]]) -> tuple[RowsRead | None, ...]:
    """Return for each operand of `loop_fields` row y for row y of the output, or all of it where it repeats itself."""
    return tuple(RowsRead() if operand["follows_rows"] else None for operand in operands)


def _operand(output: Tensor, tensor: Tensor, row_step: int, steps: list[int]) -> dict[str, Any]:
    rows, elements = row_shape(tensor)
    follows = rows == row_shape(output)[0] and (rows == 1 or elements == row_step)
    return {
        "follows_rows": int(follows),
        "row_step": 0 if follows else row_step,
        "step": _filled(steps, 0),
    }


def _padded(shape: tuple[int, ...], rank: int) -> tuple[int, ...]:
    return (1,) * (rank - len(shape)) + shape


def _strides(shape: tuple[int, ...], output: tuple[int, ...]) -> list[int]:
    """Elements from one index to the next along each axis of the output; 0 where the input repeats itself."""
    padded = _padded(shape, len(output))
    return [0 if size == 1 else math.prod(padded[axis + 1 :]) for axis, size in enumerate(padded)]


def _filled(values: list[int], filler: int) -> tuple[int, ...]:
    return (*values, *[filler] * (_LOOPS - len(values)))
