"""Read and change one subgraph of a flatbuffer's object tree: what every pass needs."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np
from ai_edge_litert import schema_py_generated as schema
from numpy.typing import NDArray

_KINDS = {value: name for name, value in vars(schema.BuiltinOperator).items() if isinstance(value, int)}
_DTYPES = {
    schema.TensorType.INT8: np.int8,
    schema.TensorType.UINT8: np.uint8,
    schema.TensorType.INT16: np.int16,
    schema.TensorType.INT32: np.int32,
    schema.TensorType.INT64: np.int64,
    schema.TensorType.FLOAT32: np.float32,
    schema.TensorType.BOOL: np.bool_,
}
# Above this value the operator's number does not fit the old one-byte field of an operator code.
_OLD_FIELD_LIMIT = 127


class Editor:
    """The first subgraph of a model, changed in place.

    Args:
        model: the unpacked model, with at least one subgraph.
    """

    def __init__(self, model: Any) -> None:
        self.model = model
        self.subgraph = model.subgraphs[0]
        self.operators: list[Any] = list(self.subgraph.operators if self.subgraph.operators is not None else [])
        self.tensors: list[Any] = list(self.subgraph.tensors)

    @staticmethod
    def set_input(operator: Any, position: int, tensor: int) -> None:
        """Let an operator read another tensor; an unpacked model's own vectors are read-only."""
        operator.inputs = [tensor if at == position else int(index) for at, index in enumerate(operator.inputs)]

    @staticmethod
    def set_output(operator: Any, position: int, tensor: int) -> None:
        """Let an operator write another tensor."""
        operator.outputs = [tensor if at == position else int(index) for at, index in enumerate(operator.outputs)]

    def commit(self) -> None:
        """Write the changed lists back into the model."""
        self.subgraph.operators = self.operators
        self.subgraph.tensors = self.tensors

    def kind(self, operator: Any) -> str:
        """Return TFLite's name of an operator, e.g. ``CONV_2D``."""
        code = self.model.operatorCodes[operator.opcodeIndex]
        return str(_KINDS.get(max(code.builtinCode, code.deprecatedBuiltinCode), ""))

    def is_model_end(self, tensor: int) -> bool:
        """Say whether a tensor is an input or output of the model."""
        return tensor in list(self.subgraph.outputs) or tensor in list(self.subgraph.inputs)

    def constant(self, tensor: int) -> NDArray[Any] | None:
        """Return a constant's values in its shape; None for what is computed, or has a type without values here."""
        if tensor < 0:
            return None
        described = self.tensors[tensor]
        content = self.model.buffers[described.buffer].data
        if content is None or len(content) == 0 or described.type not in _DTYPES:
            return None
        stored = np.asarray(content, np.uint8).tobytes()
        values: NDArray[Any] = np.frombuffer(stored, _DTYPES[described.type])
        return values.reshape(self.shape(tensor))

    def shape(self, tensor: int) -> tuple[int, ...]:
        """Return a tensor's shape."""
        shape = self.tensors[tensor].shape
        return tuple(int(size) for size in (shape if shape is not None else ()))

    def is_type(self, tensor: int, name: str) -> bool:
        """Say whether a tensor's element type is, e.g., ``INT8``."""
        return tensor >= 0 and bool(self.tensors[tensor].type == getattr(schema.TensorType, name))

    def scale(self, tensor: int) -> tuple[float, int] | None:
        """Return scale and zero point of a tensor; None where it has none, or several."""
        quantization = self.tensors[tensor].quantization
        if quantization is None or quantization.scale is None or len(quantization.scale) != 1:
            return None
        zero_point = quantization.zeroPoint
        return float(quantization.scale[0]), int(zero_point[0]) if zero_point is not None and len(zero_point) else 0

    def producers(self) -> dict[int, Any]:
        """Return tensor -> the operator that computes it."""
        return {int(output): operator for operator in self.operators for output in operator.outputs}

    def consumers(self) -> dict[int, list[Any]]:
        """Return tensor -> the operators that read it, in execution order, each once."""
        found: dict[int, list[Any]] = {}
        for operator in self.operators:
            for tensor in dict.fromkeys(int(index) for index in operator.inputs):
                found.setdefault(tensor, []).append(operator)
        return found

    def add_tensor(
        self,
        name: str,
        shape: Iterable[int],
        dtype: str,
        *,
        scale: tuple[float, int] | None = None,
        data: NDArray[Any] | None = None,
    ) -> int:
        """Add a tensor.

        Args:
            name: shown in reports.
            shape: sizes.
            dtype: e.g. ``INT8``.
            scale: scale and zero point; None for plain integers.
            data: a constant's values, already of the type; None for what an operator computes.

        Returns:
            Its index.
        """
        made = schema.TensorT()
        made.name = name.encode()
        made.shape = np.asarray(list(shape), np.int32)
        made.type = getattr(schema.TensorType, dtype)
        if scale is not None:
            made.quantization = schema.QuantizationParametersT()
            made.quantization.scale = np.asarray([scale[0]], np.float32)
            made.quantization.zeroPoint = np.asarray([scale[1]], np.int64)
        buffer = schema.BufferT()
        if data is not None:
            buffer.data = np.frombuffer(np.ascontiguousarray(data).tobytes(), np.uint8)
        made.buffer = 0 if data is None else len(self.model.buffers)
        if data is not None:
            self.model.buffers.append(buffer)
        self.tensors.append(made)
        return len(self.tensors) - 1

    def copy_tensor(self, tensor: int, suffix: str, *, scale: tuple[float, int] | None = None) -> int:
        """Add a computed tensor like another, with a scale of its own where one is given; return its index."""
        dtype = next(name for name, value in vars(schema.TensorType).items() if value == self.tensors[tensor].type)
        return self.add_tensor(
            self.name(tensor) + suffix,
            self.shape(tensor),
            dtype,
            scale=scale if scale is not None else self.scale(tensor),
        )

    def name(self, tensor: int) -> str:
        """Return a tensor's name."""
        return bytes(self.tensors[tensor].name or b"").decode("utf-8", errors="replace")

    def operator(
        self,
        kind: str,
        inputs: Iterable[int],
        outputs: Iterable[int],
        options: Any = None,
        *,
        version: int = 1,
    ) -> Any:
        """Return a new operator, not yet in the execution order.

        Args:
            kind: TFLite's name.
            inputs, outputs: tensor indices.
            options: an options object of the schema, e.g. ``AddOptionsT``; None where the operator has none.
            version: of the operator, as the types of its tensors need it.
        """
        made = schema.OperatorT()
        made.opcodeIndex = self._code(kind, version)
        made.inputs = np.asarray(list(inputs), np.int32)
        made.outputs = np.asarray(list(outputs), np.int32)
        if options is not None:
            made.builtinOptionsType = getattr(schema.BuiltinOptions, type(options).__name__.removesuffix("T"))
            made.builtinOptions = options
        return made

    def _code(self, kind: str, version: int) -> int:
        number = getattr(schema.BuiltinOperator, kind)
        for index, code in enumerate(self.model.operatorCodes):
            if max(code.builtinCode, code.deprecatedBuiltinCode) == number and code.version == version:
                return index
        code = schema.OperatorCodeT()
        code.builtinCode = number
        code.deprecatedBuiltinCode = min(number, _OLD_FIELD_LIMIT)
        code.version = version
        self.model.operatorCodes.append(code)
        return len(self.model.operatorCodes) - 1

    def quantize(self, source: int, target: int) -> Any:
        """Return the operator that brings an integer tensor to another scale."""
        return self.operator("QUANTIZE", [source], [target], schema.QuantizeOptionsT(), version=2)
