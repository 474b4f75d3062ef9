"""Shapes that several rules work out."""

from __future__ import annotations

from itertools import zip_longest

from edgekit.tflite.guard.operators import Operator
from edgekit.tflite.guard.tensors import Operand

_BROADCAST_RANK = 5


def broadcast(op: Operator, *operands: Operand) -> tuple[int, ...]:
    """Return the common shape of operands; refuses those that have none, or too many dimensions to repeat along."""
    shape: tuple[int, ...] = ()
    for operand in operands:
        sizes = []
        for ours, theirs in zip_longest(reversed(shape), reversed(operand.shape), fillvalue=1):
            op.require(
                ours == theirs or 1 in (ours, theirs),
                "shape",
                f"of {operand.where} is {list(operand.shape)}, which does not fit {list(shape)}",
            )
            sizes.append(max(ours, theirs))
        shape = tuple(reversed(sizes))
    if any(operand.shape != shape for operand in operands):
        op.require(
            len(shape) <= _BROADCAST_RANK,
            "shape",
            f"has {len(shape)} dimensions, repeating along a dimension works with {_BROADCAST_RANK} at most",
        )
    return shape


def window(op: Operator, size: int, kernel: int, stride: int, dilation: int, field: str) -> int:
    """Return how many windows fit along one axis."""
    reach = (kernel - 1) * dilation + 1
    if op.flag("padding", 2) == 0:
        return -(-size // stride)
    op.require(size >= reach, field, f"reaches over {reach} positions without padding, the input has {size}")
    return (size - reach) // stride + 1


def moved(op: Operator, source: Operand) -> None:
    """Refuse an output of another type."""
    op.same_type(source, op.output)
