"""UNIDIRECTIONAL_SEQUENCE_LSTM, as Keras' LSTM becomes. Twin: firmware/engine/unidirectional_sequence_lstm_s8.h."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from edgekit.engine.lowered import Constant, Lowered, row_shape, scale_of, zero_point_of
from edgekit.engine.multiplier import quantize_multiplier
from edgekit.engine.ops._checks import sums_fault
from edgekit.engine.weights import WeightEncoding, encode
from edgekit.tflite.graph import Graph, Op, Tensor

_GATES = 4
# Places among the operator's 24 inputs: of the gates input, forget, candidate and output in this order.
_INPUT_WEIGHTS, _HIDDEN_WEIGHTS, _BIASES = range(1, 5), range(5, 9), range(12, 16)
_HIDDEN, _CELL = 18, 19
_ABSENT = (*range(9, 12), 16, 17, *range(20, 24))
_TANH = 4
_GATE_SCALE, _ACTIVATION_SCALE = 2.0**-12, 2.0**-15
_NOTHING_IS_CLIPPED = 32768


def has_the_plain_form(graph: Graph, op: Op) -> str | None:
    """24 inputs: four gates, no peepholes, projection or layer normalization; tanh; one output of rank 3"""
    if len(op.inputs) != 24 or len(op.outputs) != 1:
        return f"{len(op.inputs)} inputs and {len(op.outputs)} outputs"
    extra = [place for place in _ABSENT if op.inputs[place] >= 0]
    missing = [
        place for place in (0, *_INPUT_WEIGHTS, *_HIDDEN_WEIGHTS, *_BIASES, _HIDDEN, _CELL) if op.inputs[place] < 0
    ]
    if extra or missing:
        return f"inputs {extra} that are there, {missing} that are not"
    ranks = [len(graph.tensors[index].shape) for index in (op.inputs[0], op.outputs[0])]
    if ranks != [3, 3]:
        return f"ranks {ranks}"
    activation = int(op.options.get("fusedActivationFunction", 0))
    return None if activation == _TANH else f"fused activation {activation}"


def activations_are_int8(graph: Graph, op: Op) -> str | None:
    """int8 input, output and hidden state with one scale each, the states variables"""
    for index in (op.inputs[0], op.inputs[_HIDDEN], op.outputs[0]):
        tensor = graph.tensors[index]
        if tensor.dtype != "int8" or tensor.quant is None or len(tensor.quant.scale) != 1:
            return f"tensor {tensor.name!r} is {tensor.dtype} or without a single scale"
    states = (graph.tensors[op.inputs[place]] for place in (_HIDDEN, _CELL))
    return next((f"state {state.name!r} is no variable" for state in states if not state.is_variable), None)


def cell_is_a_power_of_two(graph: Graph, op: Op) -> str | None:
    """an int16 cell state whose scale is a power of two from 2^-27 to 1, with zero point 0"""
    cell = graph.tensors[op.inputs[_CELL]]
    if cell.dtype != "int16" or cell.quant is None or len(cell.quant.scale) != 1 or cell.quant.zero_point[0]:
        return f"a cell state of {cell.dtype}"
    fraction, exponent = math.frexp(scale_of(cell))
    return None if fraction == 0.5 and -26 <= exponent <= 1 else f"scale {scale_of(cell)}"


def weights_are_constant(graph: Graph, op: Op) -> str | None:
    """constant int8 weights (units, depth) with one scale and zero point 0, and constant int32 biases (units)"""
    units, depth = graph.tensors[op.outputs[0]].shape[2], graph.tensors[op.inputs[0]].shape[2]
    for place in (*_INPUT_WEIGHTS, *_HIDDEN_WEIGHTS, *_BIASES):
        tensor = graph.tensors[op.inputs[place]]
        shape = (units,) if place in _BIASES else (units, depth if place in _INPUT_WEIGHTS else units)
        dtype = "int32" if place in _BIASES else "int8"
        if tensor.data is None or tensor.dtype != dtype or tensor.shape != shape:
            return f"tensor {tensor.name!r} is {tensor.dtype} {list(tensor.shape)}"
        quant = tensor.quant
        if place not in _BIASES and (quant is None or len(quant.scale) != 1 or quant.zero_point[0]):
            return f"tensor {tensor.name!r} has no single scale, or a zero point"
    return None


def sums_fit(graph: Graph, op: Op) -> str | None:
    """weights and biases whose sums int32 holds"""
    for weights, bias in (*zip(_INPUT_WEIGHTS, _BIASES, strict=True), *((place, None) for place in _HIDDEN_WEIGHTS)):
        data = graph.tensors[op.inputs[weights]].data
        assert data is not None
        fault = sums_fault(data, None if bias is None else graph.tensors[op.inputs[bias]].data)
        if fault is not None:
            return fault
    return None


def states_fit(graph: Graph, op: Op) -> str | None:
    """as many states as batches times units, and an output for each time of the input"""
    before, after = graph.tensors[op.inputs[0]], graph.tensors[op.outputs[0]]
    batches = before.shape[1 if op.options.get("timeMajor") else 0]
    sizes = [graph.tensors[op.inputs[place]].elements for place in (_HIDDEN, _CELL)]
    fit = sizes == [batches * after.shape[2]] * 2 and before.shape[:2] == after.shape[:2]
    return None if fit else f"{sizes} states for shapes {list(before.shape)} and {list(after.shape)}"


def factors_are_in_range(graph: Graph, op: Op) -> str | None:
    """scales of activations times those of weights below 2^18, and a hidden scale above 2^-60"""
    hidden = scale_of(graph.tensors[op.inputs[_HIDDEN]])
    pairs = [(op.inputs[0], place) for place in _INPUT_WEIGHTS] + [(op.inputs[_HIDDEN], p) for p in _HIDDEN_WEIGHTS]
    largest = max(scale_of(graph.tensors[index]) * scale_of(graph.tensors[op.inputs[place]]) for index, place in pairs)
    return None if largest < 2.0**18 and hidden > 2.0**-60 else f"{largest:g} and {hidden:g}"


CHECKS = (
    has_the_plain_form,
    activations_are_int8,
    cell_is_a_power_of_two,
    weights_are_constant,
    sums_fit,
    states_fit,
    factors_are_in_range,
)


def lower(graph: Graph, op: Op) -> Lowered:
    """Lower one LSTM; its states stay in the arena from one inference to the next until they are reset."""
    source, output = graph.tensors[op.inputs[0]], graph.tensors[op.outputs[0]]
    hidden, cell = graph.tensors[op.inputs[_HIDDEN]], graph.tensors[op.inputs[_CELL]]
    vectors = row_shape(output)[1] // output.shape[2]
    is_time_major = bool(op.options.get("timeMajor"))
    from_input, input_constants = _matrix(graph, op, source, _INPUT_WEIGHTS, _BIASES)
    from_hidden, hidden_constants = _matrix(graph, op, hidden, _HIDDEN_WEIGHTS, None)
    return Lowered(
        kernel="unidirectional_sequence_lstm_s8",
        fields={
            "input": from_input,
            "hidden": from_hidden,
            "keep": _factor(_ACTIVATION_SCALE),
            "add": _factor(_ACTIVATION_SCALE**2 / scale_of(cell)),
            "output": _factor(_ACTIVATION_SCALE**2 / scale_of(hidden)),
            "output_zero_point": zero_point_of(hidden),
            "cell_clip": _cell_clip(op, cell),
            **_tanh_fields(cell),
            "units": output.shape[2],
            "vectors": vectors,
            # Rows count the first dimension that is not 1, or the second: see `row_shape`.
            "rows_are_batches": int(is_time_major == (output.shape[0] == 1)),
        },
        constants=(*input_constants, *hidden_constants),
        inputs=(op.inputs[0],),
        output=op.outputs[0],
        states=(op.inputs[_HIDDEN], op.inputs[_CELL]),
    )


def _matrix(
    graph: Graph, op: Op, source: Tensor, weights: range, biases: range | None
) -> tuple[dict[str, Any], tuple[Constant, ...]]:
    """Fields of `ek_lstm_matrix`, and what they name."""
    gates = [graph.tensors[op.inputs[place]] for place in weights]
    values = np.stack([np.asarray(gate.data) for gate in gates], axis=1)  # (units, gates, depth)
    units, _, depth = values.shape
    bias = np.zeros((units, _GATES), np.int64)
    if biases is not None:
        bias = np.stack([np.asarray(graph.tensors[op.inputs[place]].data) for place in biases], axis=1).astype(np.int64)
    bias = bias - zero_point_of(source) * values.astype(np.int64).sum(axis=2)
    pairs = [quantize_multiplier(scale_of(source) * scale_of(gate) / _GATE_SCALE) for gate in gates]
    name = "hidden" if biases is None else "input"
    fields = {
        "weights": f"{name}_weights",
        "bias": f"{name}_bias",
        "multiplier": tuple(pair[0] for pair in pairs),
        "shift": tuple(pair[1] for pair in pairs),
        "depth": depth,
    }
    encoded = encode(values.reshape(-1, depth), WeightEncoding.INTERLEAVED_4)
    return fields, (
        Constant(f"{name}_weights", encoded, f"({units}, {depth}, {_GATES})"),
        Constant(f"{name}_bias", bias.astype(np.int32).reshape(-1), f"({units}, {_GATES})"),
    )


def _factor(real: float) -> dict[str, int]:
    multiplier, shift = quantize_multiplier(real)
    return {"multiplier": multiplier, "shift": shift}


def _cell_clip(op: Op, cell: Tensor) -> int:
    clip = float(op.options.get("cellClip", 0.0))
    return int(min(clip / scale_of(cell), 32767.0)) if clip > 0 else _NOTHING_IS_CLIPPED


def _tanh_fields(cell: Tensor) -> dict[str, int]:
    """From the cell's scale to the thrice stretched Q3.12 of `ek_tanh_s16`."""
    left = round(math.log2(scale_of(cell))) + 12
    return {"tanh_multiplier": 3 << max(left, 0), "tanh_shift": max(-left, 0)}
