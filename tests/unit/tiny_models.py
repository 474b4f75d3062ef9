"""Tiny .tflite files written with the schema, so that fast tests need no TensorFlow."""

from __future__ import annotations

import flatbuffers
import numpy as np
from ai_edge_litert import schema_py_generated as schema
from numpy.typing import NDArray


def dense_int8(
    *, weights: NDArray[np.generic], bias: NDArray[np.generic], output_scale: float = 1.0, dtype: str = "int8"
) -> bytes:
    """A model of one FULLY_CONNECTED: input (1, c_in), output (1, c_out), all scales 1 but the output's.

    Args:
        weights: shape (c_out, c_in).
        bias: shape (c_out,).
        output_scale: real value of one output step.
        dtype: "int8", or "float32" for a float model of the same shape.
    """
    is_float = dtype == "float32"
    kind = schema.TensorType.FLOAT32 if is_float else schema.TensorType.INT8
    bias_kind = kind if is_float else schema.TensorType.INT32
    stored = weights.astype(np.float32 if is_float else np.int8).tobytes()
    stored_bias = bias.astype(np.float32 if is_float else np.int32).tobytes()
    c_out, c_in = weights.shape
    model = schema.ModelT()
    model.version, model.description = 3, "test"
    model.operatorCodes = [_code(schema.BuiltinOperator.FULLY_CONNECTED)]
    model.buffers = [_buffer(content) for content in (b"", stored, stored_bias)]
    subgraph = schema.SubGraphT()
    subgraph.tensors = [
        _tensor("input", (1, c_in), kind, 0, None if is_float else 1.0),
        _tensor("weights", (c_out, c_in), kind, 1, None if is_float else 1.0),
        _tensor("bias", (c_out,), bias_kind, 2, None if is_float else 1.0),
        _tensor("output", (1, c_out), kind, 0, None if is_float else output_scale),
    ]
    op = schema.OperatorT()
    op.opcodeIndex, op.inputs, op.outputs = 0, [0, 1, 2], [3]
    op.builtinOptionsType = schema.BuiltinOptions.FullyConnectedOptions
    op.builtinOptions = schema.FullyConnectedOptionsT()
    subgraph.operators, subgraph.inputs, subgraph.outputs = [op], [0], [3]
    model.subgraphs = [subgraph]
    builder = flatbuffers.Builder(1024)
    builder.Finish(model.Pack(builder), b"TFL3")
    return bytes(builder.Output())


def _code(builtin: int) -> schema.OperatorCodeT:
    code = schema.OperatorCodeT()
    code.builtinCode = code.deprecatedBuiltinCode = builtin
    code.version = 4
    return code


def _buffer(content: bytes) -> schema.BufferT:
    buffer = schema.BufferT()
    if content:
        buffer.data = np.frombuffer(content, np.uint8)
    return buffer


def _tensor(name: str, shape: tuple[int, ...], kind: int, buffer: int, scale: float | None) -> schema.TensorT:
    tensor = schema.TensorT()
    tensor.name, tensor.shape, tensor.type, tensor.buffer = name, list(shape), kind, buffer
    if scale is not None:
        tensor.quantization = schema.QuantizationParametersT()
        tensor.quantization.scale, tensor.quantization.zeroPoint = [scale], [0]
    return tensor
