"""A .tflite as an object tree that can be changed, and back to bytes: small, aligned, the same bytes every time.

The schema's generated Python can do both, but writes constants where they happen to fall; readers on a
microcontroller use them in place and need the 16-byte alignment that the schema asks for (`force_align`).
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from typing import Any

import flatbuffers
import numpy as np
from ai_edge_litert import schema_py_generated as schema
from flatbuffers import number_types
from numpy.typing import NDArray

from edgekit.errors import ModelError

BUFFER_ALIGNMENT = 16
_IDENTIFIER = b"TFL3"
# Tables, vtables and their padding; the builder doubles its memory where that is too little.
_TREE_BYTES_PER_TENSOR = 512
# What an operator does beside writing its outputs; none of these is dead because nobody reads them.
_SIDE_EFFECTS = frozenset(
    getattr(schema.BuiltinOperator, name)
    for name in ("CUSTOM", "CALL", "CALL_ONCE", "IF", "WHILE", "VAR_HANDLE", "ASSIGN_VARIABLE", "HASHTABLE_IMPORT")
)


def unpack(data: bytes) -> Any:
    """Return the object tree (`schema.ModelT`) of a flatbuffer; its vectors are read-only views into `data`.

    Raises:
        ModelError: no TFLite model, or damaged, or with constants stored behind the flatbuffer.
    """
    if len(data) < 16 or data[4:8] != _IDENTIFIER:
        raise ModelError(
            f"not a TFLite model: {len(data)} bytes without the identifier 'TFL3'", hint="give a .tflite file"
        )
    try:
        model = schema.ModelT.InitFromPackedBuf(data, 0)
    # The generated code fails on damaged offsets with whatever the damage hits; all of it means one thing.
    except Exception as error:
        raise ModelError(
            f"the TFLite model is damaged or truncated ({type(error).__name__}: {error})",
            hint="copy or export the file again and compare its sha256",
        ) from error
    if any(buffer.offset > 1 for buffer in model.buffers or ()):
        raise ModelError(
            "the model stores constants behind its flatbuffer, expected all of them in it",
            hint="files above 2 GB are written so: no microcontroller holds one; convert a smaller model",
        )
    return model


def pack(model: Any) -> bytes:
    """Return the flatbuffer of an object tree.

    Equal vectors, strings and tables are written once; every buffer starts at a multiple of 16 bytes.

    Args:
        model: a `schema.ModelT`; vectors of numbers may be lists or arrays and come out with the schema's types.

    Returns:
        The file's bytes; equal trees give equal bytes.
    """
    _give_schema_types(model)
    constants = sum(len(buffer.data) for buffer in model.buffers or () if buffer.data is not None)
    tensors = sum(len(subgraph.tensors or ()) for subgraph in model.subgraphs or ())
    builder = SharingBuilder(
        constants + BUFFER_ALIGNMENT * len(model.buffers or ()) + _TREE_BYTES_PER_TENSOR * (tensors + 8)
    )
    builder.Finish(model.Pack(builder), file_identifier=_IDENTIFIER)
    return bytes(memoryview(builder.Bytes)[builder.Head() :])


def remove_unused(model: Any) -> int:
    """Remove what no output depends on: operators, tensors, buffers, operator codes; number the rest anew.

    Inputs and outputs of subgraphs stay, and so do signatures' tensors, operators with side effects (custom ones,
    control flow, resource variables) and those with a state. Empty buffers become buffer 0, which is always empty.

    Args:
        model: a `schema.ModelT`, changed in place.

    Returns:
        How many operators, tensors, buffers and operator codes went.
    """
    before = _count(model)
    for index, subgraph in enumerate(model.subgraphs or ()):
        signatures = [found for found in model.signatureDefs or () if found.subgraphIndex == index]
        _drop_dead_operators(model, subgraph)
        _drop_unused_tensors(subgraph, signatures)
    _drop_unused_buffers(model)
    _drop_unused_codes(model)
    return before - _count(model)


class SharingBuilder(flatbuffers.Builder):  # type: ignore[misc]  # flatbuffers ships no types
    """Writes equal vectors, strings and tables once, and buffers aligned.

    The method names are those that the schema's generated code calls.
    """

    head: int
    nested: bool
    current_vtable: list[int] | None

    def __init__(self, initial_bytes: int) -> None:
        super().__init__(initial_bytes)
        self._vectors: dict[tuple[int, int, int, bytes], int] = {}
        self._strings: dict[bytes, int] = {}
        self._tables: dict[tuple[Any, ...], int] = {}
        self._fields: list[tuple[int, int, Any, Any]] = []

    def CreateNumpyVector(self, x: NDArray[Any]) -> int:  # noqa: N802
        """Write a vector of numbers, or find one with equal bytes; return its offset."""
        # Bytes are constants (or custom options, where it does no harm).
        alignment = BUFFER_ALIGNMENT if x.dtype == np.uint8 else x.itemsize
        content = np.ascontiguousarray(x).data.cast("B") if x.size else memoryview(b"")
        key = (alignment, x.itemsize, x.size, hashlib.blake2b(content, digest_size=32).digest())
        if key not in self._vectors:
            self.StartVector(x.itemsize, x.size, alignment)
            start = self.head - len(content)
            memoryview(self.Bytes)[start : self.head] = content
            self.head = start
            self._vectors[key] = self.EndVector()
        return self._vectors[key]

    def CreateString(self, s: str | bytes, encoding: str = "utf-8", errors: str = "strict") -> int:  # noqa: N802
        """Write a text, or find an equal one; return its offset."""
        text = s.encode(encoding, errors) if isinstance(s, str) else bytes(s)
        if text not in self._strings:
            self._strings[text] = super().CreateString(text)
        return self._strings[text]

    def StartObject(self, numfields: int) -> None:  # noqa: N802
        """Begin a table; its fields are kept until it ends."""
        # A table that ends unaligned would count the padding as its own, and share no vtable.
        self.Prep(number_types.UOffsetTFlags.bytewidth, 0)
        super().StartObject(numfields)
        self._fields = []

    def PrependSlot(self, flags: Any, o: int, x: Any, d: Any) -> None:  # noqa: N802
        """Note a field of the table."""
        if x != d:
            self._fields.append((flags.bytewidth, o, x, flags))

    def PrependUOffsetTRelativeSlot(self, o: int, x: int, d: int) -> None:  # noqa: N802
        """Note a field that leads to something written before."""
        if x != d:
            self._fields.append((number_types.UOffsetTFlags.bytewidth, o, x, None))

    def EndObject(self) -> int:  # noqa: N802
        """Write the table, or find an equal one; return its offset."""
        # Wide fields first: no padding between them, and the same order (the same vtable) everywhere.
        fields = sorted(self._fields, key=lambda field: (-field[0], field[1]))
        key = tuple((slot, value, flags) for _, slot, value, flags in fields)
        if key in self._tables:
            self.nested, self.current_vtable = False, None
            return self._tables[key]
        for _, slot, value, flags in fields:
            if flags is None:
                self.PrependUOffsetTRelative(value)
            else:
                self.Prepend(flags, value)
            self.Slot(slot)
        self._tables[key] = int(super().EndObject())
        return self._tables[key]


def _give_schema_types(model: Any) -> None:
    """The generated code writes an array as it is: one of int64 where int32 belongs would be a wrong file."""
    for buffer in model.buffers or ():
        if isinstance(buffer.data, bytes | bytearray | memoryview):
            buffer.data = np.frombuffer(buffer.data, np.uint8)
        _retype(buffer, np.uint8, "data")
    for subgraph in model.subgraphs or ():
        _retype(subgraph, np.int32, "inputs", "outputs")
        for operator in subgraph.operators or ():
            _retype(operator, np.int32, "inputs", "outputs", "intermediates")
            _retype(operator, np.uint8, "customOptions")
        for tensor in subgraph.tensors or ():
            _retype(tensor, np.int32, "shape", "shapeSignature")
            if tensor.quantization is not None:
                _retype(tensor.quantization, np.float32, "min", "max", "scale")
                _retype(tensor.quantization, np.int64, "zeroPoint")


def _retype(owner: Any, dtype: type, *names: str) -> None:
    for name in names:
        values = getattr(owner, name)
        if values is not None:
            setattr(owner, name, np.asarray(values, dtype).reshape(-1))


def _count(model: Any) -> int:
    parts = [len(model.buffers or ()), len(model.operatorCodes or ())]
    for subgraph in model.subgraphs or ():
        parts += [len(subgraph.operators or ()), len(subgraph.tensors or ())]
    return sum(parts)


def _indices(*vectors: Iterable[int] | None) -> list[int]:
    """All indices of several vectors; absent vectors and absent optional tensors (-1) left out."""
    return [int(index) for vector in vectors if vector is not None for index in vector if index >= 0]


def _drop_dead_operators(model: Any, subgraph: Any) -> None:
    live = set(_indices(subgraph.outputs))
    kept = []
    for operator in reversed(subgraph.operators or ()):
        inputs = _indices(operator.inputs)
        code = model.operatorCodes[operator.opcodeIndex]
        has_effect = max(code.builtinCode, code.deprecatedBuiltinCode) in _SIDE_EFFECTS
        has_state = any(subgraph.tensors[index].isVariable for index in inputs)
        if has_effect or has_state or not live.isdisjoint(_indices(operator.outputs)):
            kept.append(operator)
            live.update(inputs)
    subgraph.operators = kept[::-1]


def _drop_unused_tensors(subgraph: Any, signatures: list[Any]) -> None:
    used = set(_indices(subgraph.inputs, subgraph.outputs))
    for operator in subgraph.operators:
        used.update(_indices(operator.inputs, operator.outputs, operator.intermediates))
    entries = [entry for found in signatures for entry in (*(found.inputs or ()), *(found.outputs or ()))]
    used.update(int(entry.tensorIndex) for entry in entries)
    renumbered = {old: new for new, old in enumerate(sorted(used))}
    renumbered[-1] = -1
    for owner, names in [
        (subgraph, ("inputs", "outputs")),
        *((operator, ("inputs", "outputs", "intermediates")) for operator in subgraph.operators),
    ]:
        for name in names:
            values = getattr(owner, name)
            if values is not None:
                setattr(owner, name, np.asarray([renumbered[int(index)] for index in values], np.int32))
    for entry in entries:
        entry.tensorIndex = renumbered[int(entry.tensorIndex)]
    subgraph.tensors = [tensor for index, tensor in enumerate(subgraph.tensors or ()) if index in used]


def _drop_unused_buffers(model: Any) -> None:
    tensors = [tensor for subgraph in model.subgraphs or () for tensor in subgraph.tensors]
    owners = [*tensors, *(model.metadata or ())]
    renumbered = {0: 0}
    kept = [schema.BufferT()]
    for owner in owners:
        buffer = model.buffers[owner.buffer]
        if buffer.data is None or len(buffer.data) == 0:
            renumbered[owner.buffer] = 0
        elif owner.buffer not in renumbered:
            renumbered[owner.buffer] = len(kept)
            kept.append(buffer)
    for owner in owners:
        owner.buffer = renumbered[owner.buffer]
    # The old list of metadata buffers; readers use `metadata`.
    model.metadataBuffer = None
    model.buffers = kept


def _drop_unused_codes(model: Any) -> None:
    kept: list[Any] = []
    numbers: dict[tuple[Any, ...], int] = {}
    for subgraph in model.subgraphs or ():
        for operator in subgraph.operators:
            code = model.operatorCodes[operator.opcodeIndex]
            key = (max(code.builtinCode, code.deprecatedBuiltinCode), code.customCode, code.version)
            if key not in numbers:
                numbers[key] = len(kept)
                kept.append(code)
            operator.opcodeIndex = numbers[key]
    model.operatorCodes = kept
