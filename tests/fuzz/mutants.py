"""Damage done to a sound model: to one field of it, to its bytes, or by joining two files."""

from __future__ import annotations

import copy
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from ai_edge_litert import schema_py_generated as schema
from seeds import packed

Rng = np.random.Generator
_WHOLE = [-(2**31), -65536, -256, -129, -128, -2, -1, 0, 1, 2, 3, 4, 5, 7, 8, 16, 31, 127, 128, 255, 256, 1000, 65535]
_WHOLE += [65536, 2**20, 2**24, 2**31 - 1]
_REAL = [0.0, -0.0, -1.0, 1e-45, 1e-20, 1e-7, 0.5, 1.0, 3.0, 1e6, 1e20, 3e38, float("inf"), float("-inf"), float("nan")]
_TYPES = [number for number in vars(schema.TensorType).values() if isinstance(number, int)]
_KINDS = [number for number in vars(schema.BuiltinOperator).values() if isinstance(number, int)]
_STRUCTURED = 0.7


def mutate(seed: bytes, other: bytes, rng: Rng) -> tuple[bytes, str]:
    """Return a damaged copy of `seed`, and what was done to it.

    Args:
        seed: a sound model.
        other: another one, for joints.
        rng: decides everything.
    """
    if rng.random() < _STRUCTURED:
        model = schema.ModelT.InitFromPackedBuf(seed, 0)
        done = []
        try:
            for _ in range(1 + int(rng.random() < 0.25)):
                change = FIELDS[int(rng.integers(len(FIELDS)))]
                done.append(f"{change.__name__.strip('_')} {change(model, rng)}")
            return packed(model), "; ".join(done)
        # The second change may stumble over the first, and numbers outside of their type cannot be packed.
        except Exception:  # noqa: BLE001
            pass
    change_bytes = BYTES[int(rng.integers(len(BYTES)))]
    return change_bytes(seed, other, rng), change_bytes.__name__.strip("_")


def _pick(rng: Rng, values: Sequence[Any]) -> Any:
    return values[int(rng.integers(len(values)))]


def _whole(rng: Rng, near: int) -> int:
    """A boundary value, or one close to what stood there."""
    return int(near + rng.integers(-3, 4)) if rng.random() < 0.5 else int(_pick(rng, _WHOLE))


def _graph(model: Any) -> Any:
    return model.subgraphs[0]


def _sizes(tensor: Any) -> list[int]:
    return [int(size) for size in (tensor.shape if tensor.shape is not None else ())]


def _any_tensor(model: Any, rng: Rng) -> Any:
    return _pick(rng, _graph(model).tensors)


def _any_operator(model: Any, rng: Rng) -> Any:
    return _pick(rng, _graph(model).operators)


def _changed_list(values: Any, rng: Rng) -> list[int]:
    """One entry changed, one dropped, one repeated, or the order turned."""
    entries = [int(value) for value in (values if values is not None else ())]
    way = int(rng.integers(6))
    if not entries or way == 0:
        entries.append(_whole(rng, 0))
    elif way == 1:
        del entries[int(rng.integers(len(entries)))]
    elif way == 2:
        entries.reverse()
    else:
        at = int(rng.integers(len(entries)))
        entries[at] = _whole(rng, entries[at])
    return entries


def _shape(model: Any, rng: Rng) -> str:
    tensor = _any_tensor(model, rng)
    tensor.shape = _changed_list(tensor.shape, rng)
    return str(tensor.shape)


def _several_shapes(model: Any, rng: Rng) -> str:
    """All tensors of one size somewhere get another there, so that shapes still agree."""
    sizes = {
        int(size) for tensor in _graph(model).tensors for size in (tensor.shape if tensor.shape is not None else ())
    }
    if not sizes:
        return "none"
    old = _pick(rng, sorted(sizes))
    new = _whole(rng, old)
    for tensor in _graph(model).tensors:
        tensor.shape = [
            new if int(size) == old else int(size) for size in (tensor.shape if tensor.shape is not None else ())
        ]
    return f"{old} -> {new}"


def _rank(model: Any, rng: Rng) -> str:
    """All tensors get more dimensions of 1 at the front, or lose the first."""
    count = int(rng.integers(1, 4))
    for tensor in _graph(model).tensors:
        shape = _sizes(tensor)
        tensor.shape = [1] * count + shape if rng.random() < 0.9 else shape[1:]
    return f"+{count}"


def _type(model: Any, rng: Rng) -> str:
    tensor = _any_tensor(model, rng)
    tensor.type = _pick(rng, _TYPES)
    return str(tensor.type)


def _all_of_a_type(model: Any, rng: Rng) -> str:
    old, new = _any_tensor(model, rng).type, _pick(rng, _TYPES)
    for tensor in _graph(model).tensors:
        if tensor.type == old:
            tensor.type = new
    return f"{old} -> {new}"


def _buffer(model: Any, rng: Rng) -> str:
    tensor = _any_tensor(model, rng)
    tensor.buffer = max(0, _whole(rng, tensor.buffer))
    return str(tensor.buffer)


def _data(model: Any, rng: Rng) -> str:
    """Another length, other bytes, or the entries of an index list changed."""
    full = [buffer for buffer in model.buffers if buffer.data is not None and len(buffer.data)]
    if not full:
        return "none"
    buffer = _pick(rng, full)
    data = bytearray(bytes(bytearray(buffer.data)))
    way = int(rng.integers(5))
    if way == 0:
        data = data[: int(rng.integers(len(data)))]
    elif way == 1:
        data += bytes(int(rng.integers(1, 64)))
    elif way == 2 and len(data) % 4 == 0:
        at = 4 * int(rng.integers(len(data) // 4))
        value = _whole(rng, int.from_bytes(data[at : at + 4], "little", signed=True)) % 2**32
        data[at : at + 4] = value.to_bytes(4, "little")
    else:
        data[int(rng.integers(len(data)))] = int(rng.integers(256))
    buffer.data = np.frombuffer(bytes(data), np.uint8) if data else None
    return f"way {way}"


def _index_list(model: Any, rng: Rng) -> str:
    """One number of a short constant of whole numbers: an axis, a size, a padding."""
    lists = [
        model.buffers[tensor.buffer]
        for tensor in _graph(model).tensors
        if tensor.type == schema.TensorType.INT32 and 0 < tensor.buffer < len(model.buffers)
    ]
    lists = [buffer for buffer in lists if buffer.data is not None and 4 <= len(buffer.data) <= 64]
    if not lists:
        return "none"
    buffer = _pick(rng, lists)
    values = np.frombuffer(bytes(bytearray(buffer.data)), np.int32).copy()
    at = int(rng.integers(len(values)))
    values[at] = _whole(rng, int(values[at]))
    buffer.data = np.frombuffer(values.tobytes(), np.uint8)
    return str(values.tolist())


def _quantization(model: Any, rng: Rng) -> str:
    tensor = _any_tensor(model, rng)
    quantization = tensor.quantization
    way = int(rng.integers(6))
    if quantization is None or way == 0:
        tensor.quantization = schema.QuantizationParametersT() if quantization is None else None
        return "set or unset"
    if way == 1:
        quantization.scale = [_pick(rng, _REAL)] * max(1, 0 if quantization.scale is None else len(quantization.scale))
        return f"scale {quantization.scale[0]}"
    if way == 2:
        quantization.zeroPoint = [_whole(rng, 0)]
        return f"zero point {quantization.zeroPoint}"
    if way == 3:
        quantization.quantizedDimension = _whole(rng, 0)
        return f"axis {quantization.quantizedDimension}"
    count = int(rng.integers(0, 9))
    quantization.scale, quantization.zeroPoint = [0.1] * count, [0] * (count if way == 4 else 1)
    return f"{count} scales"


def _variable(model: Any, rng: Rng) -> str:
    tensor = _any_tensor(model, rng)
    tensor.isVariable = not tensor.isVariable
    return str(tensor.isVariable)


def _sparsity(model: Any, rng: Rng) -> str:
    sparsity = schema.SparsityParametersT()
    sparsity.traversalOrder = [_whole(rng, 0), 1]
    sparsity.dimMetadata = [schema.DimensionMetadataT()]
    sparsity.dimMetadata[0].denseSize = _whole(rng, 4)
    _any_tensor(model, rng).sparsity = sparsity
    return "set"


def _operator_inputs(model: Any, rng: Rng) -> str:
    operator = _any_operator(model, rng)
    operator.inputs = _changed_list(operator.inputs, rng)
    return str(operator.inputs)


def _operator_outputs(model: Any, rng: Rng) -> str:
    operator = _any_operator(model, rng)
    operator.outputs = _changed_list(operator.outputs, rng)
    return str(operator.outputs)


def _operator_order(model: Any, rng: Rng) -> str:
    operators = _graph(model).operators
    way = int(rng.integers(3))
    at = int(rng.integers(len(operators)))
    if way == 0:
        operators.reverse()
    elif way == 1:
        operators.append(copy.copy(operators[at]))
    else:
        del operators[at]
    return f"way {way}"


def _option(model: Any, rng: Rng) -> str:
    options = _any_operator(model, rng).builtinOptions
    names = sorted(vars(options)) if options is not None else []
    if not names:
        return "none"
    name = _pick(rng, names)
    old = getattr(options, name)
    if isinstance(old, bool):
        new: Any = not old
    elif isinstance(old, int):
        new = _whole(rng, old)
    elif isinstance(old, float):
        new = _pick(rng, _REAL)
    else:
        new = _changed_list(old, rng)
    setattr(options, name, new)
    return f"{name} {new}"


def _options_table(model: Any, rng: Rng) -> str:
    operator = _any_operator(model, rng)
    if rng.random() < 0.5:
        operator.builtinOptions, operator.builtinOptionsType = None, 0
        return "removed"
    names = {number: name for name, number in vars(schema.BuiltinOptions).items() if isinstance(number, int) and number}
    number = _pick(rng, sorted(names))
    operator.builtinOptions, operator.builtinOptionsType = getattr(schema, f"{names[number]}T")(), number
    return names[number]


def _kind(model: Any, rng: Rng) -> str:
    code = _pick(rng, model.operatorCodes)
    code.builtinCode = _pick(rng, _KINDS) if rng.random() < 0.9 else _whole(rng, code.builtinCode)
    code.deprecatedBuiltinCode = min(max(code.builtinCode, -128), 127)
    return str(code.builtinCode)


def _similar_kind(model: Any, rng: Rng) -> str:
    """Another operator with as many inputs, its options empty."""
    code = _pick(rng, model.operatorCodes)
    code.builtinCode = _pick(rng, _KINDS)
    code.deprecatedBuiltinCode = min(code.builtinCode, 127)
    for operator in _graph(model).operators:
        if model.operatorCodes[operator.opcodeIndex] is code:
            _own_options(operator, code.builtinCode)
    return str(code.builtinCode)


def _own_options(operator: Any, kind: int) -> None:
    names = {number: name for name, number in vars(schema.BuiltinOperator).items() if isinstance(number, int)}
    wanted = (names[kind].replace("_", "") + "options").lower()
    found = [name for name in vars(schema.BuiltinOptions) if name.lower() == wanted]
    operator.builtinOptions, operator.builtinOptionsType = None, 0
    if found:
        operator.builtinOptions = getattr(schema, f"{found[0]}T")()
        operator.builtinOptionsType = getattr(schema.BuiltinOptions, found[0])


def _code_index(model: Any, rng: Rng) -> str:
    operator = _any_operator(model, rng)
    operator.opcodeIndex = max(0, _whole(rng, operator.opcodeIndex))
    return str(operator.opcodeIndex)


def _version(model: Any, rng: Rng) -> str:
    code = _pick(rng, model.operatorCodes)
    code.version = _whole(rng, code.version)
    return str(code.version)


def _model_inputs(model: Any, rng: Rng) -> str:
    _graph(model).inputs = _changed_list(_graph(model).inputs, rng)
    return str(_graph(model).inputs)


def _model_outputs(model: Any, rng: Rng) -> str:
    _graph(model).outputs = _changed_list(_graph(model).outputs, rng)
    return str(_graph(model).outputs)


def _metadata(model: Any, rng: Rng) -> str:
    entry = schema.MetadataT()
    entry.name, entry.buffer = b"min_runtime_version", max(0, _whole(rng, 0))
    model.metadata = [entry]
    return str(entry.buffer)


FIELDS: tuple[Callable[[Any, Rng], str], ...] = (
    _shape, _several_shapes, _rank, _type, _all_of_a_type, _buffer, _data, _index_list, _quantization, _variable,
    _sparsity, _operator_inputs, _operator_outputs, _operator_order, _option, _option, _options_table, _kind,
    _similar_kind, _code_index, _version, _model_inputs, _model_outputs, _metadata,
)  # fmt: skip


def _flip_bytes(seed: bytes, other: bytes, rng: Rng) -> bytes:
    damaged = bytearray(seed)
    # The front and the end hold the tables, what lies between is mostly weights.
    span = len(damaged) if rng.random() < 0.5 else min(len(damaged), 2048)
    for _ in range(int(rng.integers(1, 9))):
        at = int(rng.integers(span))
        damaged[at if rng.random() < 0.5 else len(damaged) - 1 - at] = int(rng.integers(256))
    return bytes(damaged)


def _word(seed: bytes, other: bytes, rng: Rng) -> bytes:
    damaged = bytearray(seed)
    at = 4 * int(rng.integers(len(damaged) // 4))
    old = int.from_bytes(damaged[at : at + 4], "little", signed=True)
    damaged[at : at + 4] = (_whole(rng, old) % 2**32).to_bytes(4, "little")
    return bytes(damaged)


def _truncate(seed: bytes, other: bytes, rng: Rng) -> bytes:
    return seed[: int(rng.integers(len(seed)))]


def _splice(seed: bytes, other: bytes, rng: Rng) -> bytes:
    at = int(rng.integers(8, len(seed)))
    length = int(rng.integers(1, 256))
    start = int(rng.integers(max(1, len(other) - length)))
    return seed[:at] + other[start : start + length] + seed[at + length :]


BYTES = (_flip_bytes, _flip_bytes, _word, _word, _truncate, _splice)
