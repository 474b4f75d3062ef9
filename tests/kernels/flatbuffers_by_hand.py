"""Write small .tflite models directly, so that kernels are judged without a converter."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from ai_edge_litert import schema_py_generated as schema
from numpy.typing import NDArray

_BUILDER_BYTES = 1 << 16
_TYPES = {
    name: getattr(schema.TensorType, name.upper())
    for name in ("int4", "int8", "uint8", "int16", "int32", "int64", "bool", "float32")
}


@dataclass
class ModelByHand:
    """Collects tensors, then packs a model; `intermediates` are the last operator's."""

    tensors: list[Any] = field(default_factory=list)
    buffers: list[Any] = field(default_factory=lambda: [schema.BufferT()])
    intermediates: list[int] = field(default_factory=list)

    def tensor(
        self,
        shape: tuple[int, ...],
        scale: float | NDArray[np.float32] | None = 1.0,
        zero_point: int = 0,
        *,
        dtype: str = "int8",
        data: NDArray[Any] | None = None,
        axis: int = 0,
        is_variable: bool = False,
    ) -> int:
        """Add a tensor and return its index; int4 data comes as int8, one value an element; scale None gives none."""
        made = schema.TensorT()
        made.name = f"tensor_{len(self.tensors)}".encode()
        made.shape = list(shape)
        made.type = _TYPES[dtype]
        made.isVariable = is_variable
        made.quantization = schema.QuantizationParametersT()
        if scale is not None:
            made.quantization.scale = np.atleast_1d(np.asarray(scale, np.float32))
            made.quantization.zeroPoint = np.full(made.quantization.scale.shape, zero_point, np.int64)
        made.quantization.quantizedDimension = axis
        if data is not None:
            buffer = schema.BufferT()
            buffer.data = _packed(data) if dtype == "int4" else np.frombuffer(data.tobytes(), np.uint8)
            made.buffer = len(self.buffers)
            self.buffers.append(buffer)
        self.tensors.append(made)
        return len(self.tensors) - 1

    def pack(
        self, kind: str, inputs: list[int], output: int | list[int], options: Any, model_inputs: list[int]
    ) -> bytes:
        """Return the flatbuffer of a model with one operator; several outputs are all the model's."""
        return self.pack_chain([(kind, inputs, output, options)], model_inputs)

    def pack_chain(
        self,
        ops: list[tuple[str, list[int], int | list[int], Any]],
        model_inputs: list[int],
        model_outputs: list[int] | None = None,
    ) -> bytes:
        """Return the flatbuffer of operators (kind, inputs, output, options or None).

        The last operator's outputs are the model's where `model_outputs` names no others.
        """
        import flatbuffers

        model, subgraph = schema.ModelT(), schema.SubGraphT()
        model.version, model.operatorCodes, subgraph.operators = 3, [], []
        for kind, inputs, output, options in ops:
            code = schema.OperatorCodeT()
            code.builtinCode = getattr(schema.BuiltinOperator, kind)
            code.deprecatedBuiltinCode = min(code.builtinCode, 127)
            code.version = 1
            op = schema.OperatorT()
            op.opcodeIndex, op.inputs, op.outputs = len(model.operatorCodes), inputs, _listed(output)
            if options is not None:
                op.builtinOptions = options
                op.builtinOptionsType = getattr(schema.BuiltinOptions, type(options).__name__.removesuffix("T"))
            model.operatorCodes.append(code)
            subgraph.operators.append(op)
        subgraph.operators[-1].intermediates = self.intermediates
        subgraph.tensors, subgraph.inputs = self.tensors, model_inputs
        subgraph.outputs = _listed(ops[-1][2]) if model_outputs is None else model_outputs
        model.subgraphs, model.buffers = [subgraph], self.buffers
        builder = flatbuffers.Builder(_BUILDER_BYTES)
        builder.Finish(model.Pack(builder), file_identifier=b"TFL3")
        return bytes(builder.Output())


def _listed(indices: int | list[int]) -> list[int]:
    return indices if isinstance(indices, list) else [indices]


def _packed(values: NDArray[Any]) -> NDArray[np.uint8]:
    """Two int4 a byte, the low half first."""
    nibbles = (values.reshape(-1).astype(np.int8).view(np.uint8)) & 0x0F
    pairs = np.append(nibbles, np.zeros(len(nibbles) % 2, np.uint8)).reshape(-1, 2)
    return pairs[:, 0] | pairs[:, 1] << 4


def same_or_valid(size: int, kernel: int, stride: int, dilation: int, padding: str) -> int:
    """Output size along one axis."""
    reach = (kernel - 1) * dilation + 1
    return -(-size // stride) if padding == "SAME" else (size - reach) // stride + 1
