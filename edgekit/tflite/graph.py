"""An immutable view of one .tflite flatbuffer."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edgekit.errors import ModelError
from edgekit.tflite import guard


@dataclass(frozen=True, slots=True)
class Quant:
    """real = scale * (q - zero_point).

    Attributes:
        scale: one value per tensor, or one per index of `axis`.
        zero_point: as many as `scale`; a file for TFLM alone may hold one for all of them.
        axis: index of the quantized dimension; None where the whole tensor has one scale.
    """

    scale: tuple[float, ...]
    zero_point: tuple[int, ...]
    axis: int | None


@dataclass(frozen=True, slots=True, eq=False)
class Tensor:
    """One tensor.

    Attributes:
        index: position in `Graph.tensors`.
        name: as the file says; never paste it into C.
        shape: sizes of the dimensions; batch included.
        dtype: NumPy name, e.g. ``int8``; ``int4``; ``unsupported:<TYPE>`` where there is no such type.
        quant: None where the file gives no scale.
        data: the constant's values in `shape`, read-only, those of int4 as int8; None for activations.
        is_variable: a state that the operators at it keep from one inference to the next.
    """

    index: int
    name: str
    shape: tuple[int, ...]
    dtype: str
    quant: Quant | None
    data: NDArray[Any] | None
    is_variable: bool = False

    @property
    def elements(self) -> int:
        """Number of elements."""
        return int(np.prod(self.shape, dtype=np.int64)) if self.shape else 1

    @property
    def size_bytes(self) -> int:
        """Bytes of the tensor; two elements of int4 share one."""
        if self.dtype == "int4":
            return -(-self.elements // 2)
        return self.elements * (np.dtype(self.dtype).itemsize if not self.dtype.startswith("unsupported") else 1)


@dataclass(frozen=True, slots=True)
class Op:
    """One operator.

    Attributes:
        index: position in `Graph.ops`, which is execution order.
        kind: TFLite's built-in name, e.g. ``CONV_2D``; ``CUSTOM:<name>`` for custom ones.
        version: of the operator.
        inputs: tensor indices; -1 where an optional input is absent.
        outputs: tensor indices.
        options: the built-in options with the schema's names, e.g. ``strideH``.
    """

    index: int
    kind: str
    version: int
    inputs: tuple[int, ...]
    outputs: tuple[int, ...]
    options: Mapping[str, Any]


@dataclass(frozen=True, slots=True, eq=False)
class Graph:
    """A parsed model.

    Attributes:
        tensors, ops: of the first subgraph, which must be the only one.
        inputs, outputs: tensor indices.
        flatbuffer: what was parsed.
        sha256: of `flatbuffer`: the model's identity in every later type.
    """

    tensors: tuple[Tensor, ...]
    ops: tuple[Op, ...]
    inputs: tuple[int, ...]
    outputs: tuple[int, ...]
    flatbuffer: bytes
    sha256: str

    @property
    def constants_bytes(self) -> int:
        """Bytes of all constant tensors."""
        return sum(tensor.size_bytes for tensor in self.tensors if tensor.data is not None)


def read(path: Path) -> Graph:
    """Parse the .tflite file at `path`; see `parse`."""
    try:
        guard.structure.check_size(path.stat().st_size)
        return parse(path.read_bytes())
    except OSError as error:
        raise ModelError(
            f"{path.name} cannot be read: {error.strerror or error}",
            hint="check the file name and its permissions",
        ) from error


def parse(flatbuffer: bytes) -> Graph:
    """Parse a .tflite flatbuffer.

    Args:
        flatbuffer: the whole file.

    Returns:
        The graph, every index in it checked.

    Raises:
        ModelError: the file is no TFLite model, damaged, truncated, or has more than one subgraph.
    """
    guard.check(flatbuffer)
    try:
        return _parse(flatbuffer)
    except ModelError:
        raise
    # The generated schema code fails on damaged offsets with whatever the damage hits; all of it means one thing.
    except Exception as error:
        raise ModelError(
            f"the TFLite model is damaged or truncated ({type(error).__name__}: {error})",
            hint="copy or export the file again and compare its sha256",
        ) from error


def _parse(flatbuffer: bytes) -> Graph:
    from ai_edge_litert import schema_py_generated as schema

    model = schema.ModelT.InitFromPackedBuf(flatbuffer, 0)
    subgraphs = model.subgraphs or []
    if len(subgraphs) != 1:
        raise ModelError(
            f"the model has {len(subgraphs)} subgraphs, expected 1",
            hint="control flow (WHILE, IF) cannot run on the device: unroll loops before converting",
        )
    subgraph = subgraphs[0]
    type_names = {value: name for name, value in vars(schema.TensorType).items() if isinstance(value, int)}
    op_names = {value: name for name, value in vars(schema.BuiltinOperator).items() if isinstance(value, int)}
    tensors = tuple(
        _tensor(index, tensor, type_names, model.buffers or []) for index, tensor in enumerate(subgraph.tensors or [])
    )
    ops = tuple(
        _op(index, op, model.operatorCodes or [], op_names, len(tensors))
        for index, op in enumerate(subgraph.operators or [])
    )
    inputs = _indices(subgraph.inputs, len(tensors), "model inputs")
    outputs = _indices(subgraph.outputs, len(tensors), "model outputs")
    if not ops or not inputs or not outputs:
        raise ModelError("the model has no operators, no inputs or no outputs", hint="export the model again")
    return Graph(tensors, ops, inputs, outputs, flatbuffer, hashlib.sha256(flatbuffer).hexdigest())


def _indices(values: Any, count: int, where: str, *, optional: bool = False) -> tuple[int, ...]:
    indices = tuple(int(value) for value in (values if values is not None else ()))
    lowest = -1 if optional else 0
    for index in indices:
        if not lowest <= index < count:
            raise ModelError(
                f"{where}: tensor index {index} is outside 0..{count - 1}",
                hint="the file is damaged: export it again",
            )
    return indices


def _tensor(index: int, raw: Any, type_names: dict[int, str], buffers: list[Any]) -> Tensor:
    name = (raw.name or b"").decode("utf-8", errors="replace")
    shape = tuple(int(size) for size in (raw.shape if raw.shape is not None else ()))
    where = f"tensor {index} ({name!r})"
    elements = 1
    for size in shape:
        elements *= size
    # A fused LSTM describes intermediates that it does not have by tensors of no elements.
    if (any(size < 1 for size in shape) and shape != (0,)) or elements >= 2**31:
        raise ModelError(
            f"{where}: shape {list(shape)} has a size below 1 or 2^31 elements and more",
            hint="convert with a fixed batch of 1 and fixed input sizes",
        )
    type_name = type_names.get(raw.type, str(raw.type))
    dtype = type_name.lower()
    if dtype not in {"int8", "uint8", "int16", "int32", "int64", "float32", "float16", "float64", "bool", "int4"}:
        dtype = f"unsupported:{type_name}"
    if not 0 <= raw.buffer < len(buffers):
        raise ModelError(f"{where}: buffer {raw.buffer} does not exist", hint="the file is damaged: export it again")
    return Tensor(
        index,
        name,
        shape,
        dtype,
        _quant(raw.quantization, shape, where),
        _data(raw, buffers, dtype, shape, where),
        bool(raw.isVariable),
    )


def _quant(raw: Any, shape: tuple[int, ...], where: str) -> Quant | None:
    if raw is None or raw.scale is None or len(raw.scale) == 0:
        return None
    scale = tuple(float(value) for value in raw.scale)
    zero_point = tuple(int(value) for value in (raw.zeroPoint if raw.zeroPoint is not None else [0]))
    zero_point = zero_point * len(scale) if len(zero_point) == 1 else zero_point
    if any(not np.isfinite(value) or value <= 0 for value in scale) or len(scale) != len(zero_point):
        raise ModelError(
            f"{where}: scales must be finite and above 0, one zero point each", hint="convert the model again"
        )
    if len(scale) == 1:
        return Quant(scale, zero_point, None)
    axis = int(raw.quantizedDimension)
    if not 0 <= axis < len(shape) or len(scale) != shape[axis]:
        raise ModelError(
            f"{where}: {len(scale)} scales on axis {axis} of shape {list(shape)}",
            hint="the file is damaged: export it again",
        )
    return Quant(scale, zero_point, axis)


def _data(raw: Any, buffers: list[Any], dtype: str, shape: tuple[int, ...], where: str) -> NDArray[Any] | None:
    content = buffers[raw.buffer].data
    if content is None or len(content) == 0:
        return None
    if dtype.startswith("unsupported"):
        values = np.asarray(content, dtype=np.uint8)
        values.flags.writeable = False
        return values
    stored = np.asarray(content, dtype=np.uint8).tobytes()
    elements = int(np.prod(shape, dtype=np.int64))
    expected = -(-elements // 2) if dtype == "int4" else elements * np.dtype(dtype).itemsize
    if len(stored) != expected:
        raise ModelError(
            f"{where}: {len(stored)} bytes of data, expected {expected} for {dtype} {list(shape)}",
            hint="the file is damaged or truncated: export it again",
        )
    if dtype == "int4":
        return _unpack_int4(stored, elements).reshape(shape)
    # frombuffer over bytes is read-only, which is what a constant should be.
    return np.frombuffer(stored, dtype=dtype).reshape(shape)


def _unpack_int4(stored: bytes, elements: int) -> NDArray[np.int8]:
    """Two elements a byte, the low half first, each with its sign."""
    packed = np.frombuffer(stored, np.int8)
    values = np.stack([(packed << 4) >> 4, packed >> 4], axis=1).reshape(-1)[:elements]
    values.flags.writeable = False
    return values


def _op(index: int, raw: Any, codes: list[Any], op_names: dict[int, str], tensor_count: int) -> Op:
    if not 0 <= raw.opcodeIndex < len(codes):
        raise ModelError(
            f"operator {index}: opcode {raw.opcodeIndex} does not exist",
            hint="the file is damaged: export it again",
        )
    code = codes[raw.opcodeIndex]
    number = max(code.builtinCode, code.deprecatedBuiltinCode)
    kind = op_names.get(number, str(number))
    if kind == "CUSTOM":
        kind = f"CUSTOM:{(code.customCode or b'').decode('utf-8', errors='replace')}"
    where = f"operator {index} ({kind})"
    return Op(
        index,
        kind,
        int(code.version),
        _indices(raw.inputs, tensor_count, f"{where} inputs", optional=True),
        _indices(raw.outputs, tensor_count, f"{where} outputs"),
        dict(vars(raw.builtinOptions)) if raw.builtinOptions is not None else {},
    )
