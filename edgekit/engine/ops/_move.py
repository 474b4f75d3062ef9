"""What operators that move elements unchanged ask of a model, and how they read their parameters."""

from __future__ import annotations

from edgekit.engine.lowered import Check
from edgekit.tflite.graph import Graph, Op, Tensor

MOVABLE = ("int8", "uint8", "int16", "int32", "int64", "bool")
_QUANTIZED = ("int8", "uint8", "int16")
# Positions of the inputs whose elements move; all where an operator takes any number of them, else the first.
_MOVED = {
    "SPLIT": slice(1, 2),
    "EMBEDDING_LOOKUP": slice(1, 2),
    "FILL": slice(1, 2),
    "DYNAMIC_UPDATE_SLICE": slice(0, 2),
}
_ALL_MOVE = ("CONCATENATION", "PACK")


def moved_inputs(op: Op) -> tuple[int, ...]:
    """Return the inputs whose elements become the output's."""
    return tuple(op.inputs[position] for position in _moved_positions(op))


def _moved_positions(op: Op) -> range:
    everything = range(len(op.inputs))
    return everything if op.kind in _ALL_MOVE else everything[_MOVED.get(op.kind, slice(0, 1))]


def elements_move_unchanged(graph: Graph, op: Op) -> str | None:
    """integers of one type, and one scale and zero point, in and out"""
    first = graph.tensors[op.outputs[0]]
    if first.dtype not in MOVABLE:
        return f"tensor {first.name!r} is {first.dtype}"
    for index in (*moved_inputs(op), *op.outputs):
        tensor = graph.tensors[index]
        if tensor.dtype != first.dtype:
            return f"tensor {tensor.name!r} is {tensor.dtype}, {first.name!r} is {first.dtype}"
        if first.dtype in _QUANTIZED and not quantized_alike(tensor, first):
            return f"tensors {tensor.name!r} and {first.name!r} have other scales or zero points"
    return None


def quantized_alike(left: Tensor, right: Tensor) -> bool:
    """Say whether two tensors have equal scales and zero points, as far as the model gives any."""
    if left.quant is None or right.quant is None:
        return True
    return (left.quant.scale, left.quant.zero_point) == (right.quant.scale, right.quant.zero_point)


def parameters_are_constant(graph: Graph, op: Op) -> str | None:
    """constant parameters (axes, sizes, positions)"""
    # By position: a tensor may be moved and be a parameter of its own move.
    moved = _moved_positions(op)
    for position, index in enumerate(op.inputs):
        if index >= 0 and position not in moved and graph.tensors[index].data is None:
            return f"input {position}, {graph.tensors[index].name!r}, is computed"
    return None


CHECKS: tuple[Check, ...] = (elements_move_unchanged, parameters_are_constant)


def parameter(graph: Graph, op: Op, position: int) -> tuple[int, ...]:
    """Return the integers of a constant input that passed `parameters_are_constant`."""
    data = graph.tensors[op.inputs[position]].data
    assert data is not None
    return tuple(int(value) for value in data.reshape(-1))


def axis_of(number: int, rank: int) -> int:
    """Return an axis counted from the front; one outside of [-rank, rank) stays outside of [0, rank)."""
    return number + rank if number < 0 else number
