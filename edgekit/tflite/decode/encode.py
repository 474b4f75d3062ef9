"""Put weights into a form that DECODE expands, where the file gets smaller by it.

TFLM keeps what DECODE writes only until the next operator has read it: every layer gets an operator of its own in
front of it, even where two layers read the same weights. Quantization records stay at what DECODE writes, for the
layer; the encoded bytes have none. Of the zero points of a per-channel tensor, which are all the same, one stays:
TFLM takes it for every channel.
"""

from __future__ import annotations

import copy
from typing import Any

import numpy as np
from ai_edge_litert import schema_py_generated as schema
from numpy.typing import NDArray

from edgekit.errors import ModelError
from edgekit.tflite.decode import OPERATOR
from edgekit.tflite.decode.forms import Encoded, smallest
from edgekit.tflite.graph import Graph, Tensor
from edgekit.tflite.shrink._model import readers, view

# Operators of TFLM that look at their weights only while they run, and which input the weights are.
_WEIGHTS = {"CONV_2D": 1, "DEPTHWISE_CONV_2D": 1, "FULLY_CONNECTED": 1, "TRANSPOSE_CONV": 1, "GATHER": 0}
# What the operator and two more tensors take in the file, rounded up.
_OVERHEAD_BYTES = 256


def apply(model: Any) -> int:
    """Encode weights; the model then runs in TensorFlow Lite Micro alone.

    Args:
        model: a `schema.ModelT` with one subgraph, changed in place.

    Returns:
        How many tensors were encoded.
    """
    try:
        graph = view(model)
    except ModelError:
        return 0
    encoded = _encoded(model, graph)
    if not encoded:
        return 0
    code = _operator_code(model)
    subgraph = model.subgraphs[0]
    layers = readers(graph)
    # Operator -> those to put in front of it.
    in_front: dict[int, list[Any]] = {}
    for tensor, found in encoded.items():
        constants = [_add_constant(model, values) for values in (found.codes, found.ancillary)]
        for position, reader in enumerate(layers[tensor]):
            written = tensor if position == 0 else _add_copy(model, tensor, reader.index)
            in_front.setdefault(reader.index, []).append(_operator(code, constants, written))
        _forget_values(subgraph.tensors[tensor])
    _shorten_zero_points(subgraph.tensors)
    subgraph.operators = [
        each for index, operator in enumerate(subgraph.operators) for each in (*in_front.get(index, ()), operator)
    ]
    return len(encoded)


def _encoded(model: Any, graph: Graph) -> dict[int, Encoded]:
    """Tensor -> its smaller form, for those that get smaller by it."""
    candidates = {tensor.index for tensor in graph.tensors if _is_candidate(graph, tensor)}
    buffers = [tensor.buffer for tensor in model.subgraphs[0].tensors]
    # Of a buffer that an uncompressed tensor needs too, nothing would go.
    kept = {buffers[index] for index in range(len(buffers)) if index not in candidates}
    found: dict[int, Encoded] = {}
    for index in sorted(candidates):
        if buffers[index] in kept:
            continue
        tensor = graph.tensors[index]
        assert tensor.data is not None and tensor.quant is not None
        form = smallest(tensor.data, zero_point=tensor.quant.zero_point[0], axis=tensor.quant.axis)
        if form.size_bytes + _OVERHEAD_BYTES < tensor.size_bytes:
            found[index] = form
    return found


def _is_candidate(graph: Graph, tensor: Tensor) -> bool:
    """int8 weights with channels along the first or last dimension and one zero point, read as weights alone."""
    quant = tensor.quant
    if tensor.data is None or tensor.dtype != "int8" or quant is None or tensor.index in graph.outputs:
        return False
    if quant.axis not in (None, 0, len(tensor.shape) - 1) or len(set(quant.zero_point)) > 1:
        return False
    places = [(op.kind, place) for op in graph.ops for place, index in enumerate(op.inputs) if index == tensor.index]
    return bool(places) and all(_WEIGHTS.get(kind) == place for kind, place in places)


def _operator_code(model: Any) -> int:
    code = schema.OperatorCodeT()
    code.builtinCode = code.deprecatedBuiltinCode = schema.BuiltinOperator.CUSTOM
    code.customCode, code.version = OPERATOR, 1
    model.operatorCodes.append(code)
    return len(model.operatorCodes) - 1


def _operator(code: int, inputs: list[int], output: int) -> Any:
    operator = schema.OperatorT()
    operator.opcodeIndex, operator.inputs, operator.outputs = code, inputs, [output]
    return operator


def _add_constant(model: Any, values: NDArray[np.uint8]) -> int:
    buffer, tensor = schema.BufferT(), schema.TensorT()
    buffer.data = values
    tensor.shape, tensor.type = np.asarray(values.shape, np.int32), schema.TensorType.UINT8
    tensor.buffer = len(model.buffers)
    model.buffers.append(buffer)
    model.subgraphs[0].tensors.append(tensor)
    return len(model.subgraphs[0].tensors) - 1


def _add_copy(model: Any, tensor: int, reader: int) -> int:
    """Add a tensor like one that was a constant, and let the reader read it."""
    subgraph = model.subgraphs[0]
    made = copy.copy(subgraph.tensors[tensor])
    _forget_values(made)
    subgraph.tensors.append(made)
    number = len(subgraph.tensors) - 1
    layer = subgraph.operators[reader]
    layer.inputs = np.asarray([number if index == tensor else index for index in layer.inputs], np.int32)
    return number


def _forget_values(tensor: Any) -> None:
    """Make a constant something that is computed; DECODE takes channels along the first or last dimension alone."""
    tensor.buffer = 0
    tensor.quantization = copy.copy(tensor.quantization)
    if len(tensor.quantization.scale) == 1:
        tensor.quantization.quantizedDimension = 0


def _shorten_zero_points(tensors: list[Any]) -> None:
    for tensor in tensors:
        points = tensor.quantization.zeroPoint if tensor.quantization is not None else None
        if points is not None and len(points) > 1 and len(set(points)) == 1:
            tensor.quantization.zeroPoint = np.asarray(points[:1], np.int64)
