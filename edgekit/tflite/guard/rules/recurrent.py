"""Operators with states: the fused LSTM and SVDF."""

from __future__ import annotations

import math

from edgekit.tflite.guard.operators import Operator
from edgekit.tflite.guard.tensors import Operand

_FLOAT = "float32"


def _state(op: Operator, operand: Operand, shape: tuple[int, ...]) -> None:
    op.require(operand.is_variable, "isVariable", f"of {operand.where} is not set, expected a state")
    op.shape(operand, shape)


def _matrix(op: Operator, position: int, rows: int, columns: int) -> None:
    operand = op.optional(position)
    if operand is not None:
        op.shape(operand, (rows, columns))


def _vector(op: Operator, position: int, count: int, *dtypes: str) -> None:
    operand = op.optional(position)
    if operand is not None:
        op.shape(operand, (count,))
        op.one_of(operand, *dtypes)


def _lstm(op: Operator) -> None:
    """Inputs: x; 4 input weights; 4 recurrent; 3 peephole; 4 biases; projection and its bias; 2 states; 4 norms."""
    op.count((20, 24))
    source = op.input(0)
    op.one_of(source, _FLOAT, "int8", "int16")
    op.same_type(source, op.output)
    op.rank(source, 3)
    op.activation()
    is_time_major = bool(op.option("timeMajor"))
    times, batch = source.shape[:2] if is_time_major else source.shape[1::-1]
    depth = source.shape[2]
    # The first of each four may be left out: then the input gate is 1 minus the forget gate.
    has_input_gate = op.optional(1) is not None
    for first in (1, 5, 12):
        op.require((op.optional(first) is not None) == has_input_gate, "inputs", f"have input {first} without its like")
    cells = op.input(2).shape[0]
    projection = op.optional(16)
    outputs = cells if projection is None else projection.shape[0]
    _lstm_weights(op, cells, depth, outputs)
    for position in (2, 3, 4, 6, 7, 8, 13, 14, 15):
        op.input(position)
    _state(op, op.input(18), (batch, outputs))
    _state(op, op.input(19), (batch, cells))
    leading = (times, batch) if is_time_major else (batch, times)
    op.shape(op.output, (*leading, outputs))
    _lstm_types(op, source)
    for clip in ("cellClip", "projClip"):
        value = op.option(clip)
        op.require(math.isfinite(value) and value >= 0, clip, f"is {value}, expected 0 or more")


def _lstm_weights(op: Operator, cells: int, depth: int, outputs: int) -> None:
    for position in range(1, 5):
        _matrix(op, position, cells, depth)
    for position in range(5, 9):
        _matrix(op, position, cells, outputs)
    _matrix(op, 16, outputs, cells)
    biases = ("float32",) if op.input(0).dtype == _FLOAT else ("int32", "int64")
    for position in range(9, 12):
        _vector(op, position, cells, _FLOAT, "int16")
    for position in range(12, 16):
        _vector(op, position, cells, *biases)
    _vector(op, 17, outputs, *biases)
    for position in range(20, len(op.inputs)):
        _vector(op, position, cells, _FLOAT, "int16")


def _lstm_types(op: Operator, source: Operand) -> None:
    weights = (_FLOAT, "int8") if source.dtype == _FLOAT else ("int8",)
    present = [operand for operand in (*op.inputs[1:9], op.optional(16)) if operand is not None]
    for operand in present:
        op.one_of(operand, *weights)
        op.same_type(present[0], operand)
        op.scaled(operand)
    hidden, cell = op.input(18), op.input(19)
    op.same_type(source, hidden)
    op.one_of(cell, _FLOAT if source.dtype == _FLOAT else "int16")
    op.scaled(source, op.output, hidden, cell)
    if source.dtype != _FLOAT:
        op.require(
            len(op.intermediates) == 5, "intermediates", f"has {len(op.intermediates)} entries, expected 5 with scales"
        )
        needed = op.intermediates if op.optional(20) is not None else op.intermediates[4:]
        for operand in needed:
            op.require(len(operand.scales) == 1, "quantization.scale", f"of {operand.where} is missing")


def _svdf(op: Operator) -> None:
    """Inputs: x, feature weights, time weights, bias, state."""
    op.count(5)
    source, features, times, state = op.input(0), op.input(1), op.input(2), op.input(4)
    for operand in (source, features, times, state):
        op.rank(operand, 2)
    op.one_of(source, _FLOAT, "int8")
    op.same_type(source, op.output)
    op.activation()
    rank = op.option("rank")
    filters, depth = features.shape
    batch = source.shape[0]
    op.require(rank >= 1 and filters % rank == 0, "rank", f"is {rank} with {filters} filters")
    op.require(source.shape[1] == depth, "shape", f"of {features.where} sees {depth} of {source.shape[1]} inputs")
    op.require(times.shape[0] == filters, "shape", f"of {times.where} has {times.shape[0]} of {filters} filters")
    _state(op, state, (batch, times.shape[1] * filters))
    op.shape(op.output, (batch, filters // rank))
    bias = op.optional(3)
    if bias is not None:
        op.shape(bias, (filters // rank,))
    is_float = source.dtype == _FLOAT
    op.one_of(features, *((_FLOAT, "int8") if is_float else ("int8",)))
    op.one_of(times, *((_FLOAT,) if is_float else ("int16", "int8")))
    op.one_of(state, *((_FLOAT,) if is_float else ("int16", "int8")))
    op.same_type(times, state)
    if bias is not None:
        op.one_of(bias, _FLOAT if is_float else "int32")
    op.scaled(source, features, times, state, op.output)


RULES = {
    "SVDF": _svdf,
    "UNIDIRECTIONAL_SEQUENCE_LSTM": _lstm,
}
