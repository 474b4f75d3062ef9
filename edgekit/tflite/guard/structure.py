"""Is the file a well-formed flatbuffer of the TFLite schema? Nothing about its meaning.

Every offset, length and alignment is checked before anything reads through it: what follows (the generated schema
code, TFLM, LiteRT) reads a flatbuffer on trust. The walk is iterative, and its work is limited by the number of
tables and the bytes that vectors stand for, since many references may lead to one place.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass

from edgekit.tflite.guard import layout
from edgekit.tflite.guard.layout import Field, Form
from edgekit.tflite.guard.refusal import refusal

IDENTIFIER = b"TFL3"
# Well under the gigabyte in which any file is refused or read; the format itself ends at 2 GiB.
LIMIT_BYTES = 768 * 1024 * 1024
_LIMIT_TABLES = 100_000
# A vector that many tables share is counted each time: an honest file shares little but short ones.
_SHARED_FACTOR, _SHARED_BYTES = 4, 1 << 24
_U16, _U32, _I32 = struct.Struct("<H"), struct.Struct("<I"), struct.Struct("<i")
_VTABLE_HEAD = struct.Struct("<HH")
# How parts of the file are called in an error, by the field that holds them.
_WORDS = {"subgraphs": "subgraph", "tensors": "tensor", "operators": "operator", "operatorCodes": "operator code"}


@dataclass(frozen=True, slots=True)
class _Place:
    """Where a table hangs; only read when an error is written."""

    parent: _Place | None
    field: str
    index: int | None

    def words(self) -> str:
        if self.parent is None:
            return "the model"
        own = _WORDS.get(self.field, self.field) + ("" if self.index is None else f" {self.index}")
        above = self.parent.words()
        return own if above == "the model" or self.field in _WORDS else f"{above}, {own}"


def verify(flatbuffer: bytes) -> None:
    """Check the structure of a .tflite file.

    Args:
        flatbuffer: the whole file.

    Raises:
        ModelError: an offset, a length, an alignment or a union type is wrong, or there is too much of something; the
            message names the part and the field.
    """
    size = len(flatbuffer)
    if size < 16 or flatbuffer[4:8] != IDENTIFIER:
        raise refusal(
            "not a TFLite model",
            "its identifier",
            f"is missing: {size} bytes, expected 'TFL3' at byte 4",
            hint="give a .tflite, .keras, .h5 or SavedModel; export the model again if it was one",
        )
    check_size(size)
    _Walk(flatbuffer).run()


def check_size(size: int) -> None:
    """Refuse a file that is too large, before it is read.

    Raises:
        ModelError: with both sizes.
    """
    if size > LIMIT_BYTES:
        raise refusal(
            "the file",
            "its size",
            f"is {size:,} bytes, expected {LIMIT_BYTES:,} at most",
            hint="no model for a small device is of that size: give a smaller one",
        )


class _Walk:
    def __init__(self, flatbuffer: bytes) -> None:
        self._bytes, self._size = flatbuffer, len(flatbuffer)
        self._vector_bytes_left = _SHARED_FACTOR * self._size + _SHARED_BYTES
        self._todo: list[tuple[int, str, _Place]] = []
        self._tables = 0

    def run(self) -> None:
        root = _Place(None, "", None)
        position: int = _U32.unpack_from(self._bytes, 0)[0]
        self._add(position, "Model", root, "root offset")
        while self._todo:
            self._table(*self._todo.pop())

    def _add(self, position: int, table: str, place: _Place, field: str) -> None:
        """Note a table to be checked; its position is checked at once."""
        if position % 4 or position + 4 > self._size:
            raise refusal(place.words(), field, f"leads to byte {position:,} of {self._size:,}")
        self._tables += 1
        if self._tables > _LIMIT_TABLES:
            raise refusal(place.words(), field, f"makes more than {_LIMIT_TABLES:,} parts: no model has so many")
        self._todo.append((position, table, place))

    def _table(self, position: int, table: str, place: _Place) -> None:
        content, size = self._bytes, self._size
        vtable = position - _I32.unpack_from(content, position)[0]
        if vtable < 4 or vtable % 2 or vtable + 4 > size:
            raise refusal(place.words(), "its vtable", f"is at byte {vtable:,} of {size:,}")
        vtable_bytes, table_bytes = _VTABLE_HEAD.unpack_from(content, vtable)
        if vtable_bytes < 4 or vtable_bytes % 2 or vtable + vtable_bytes > size:
            raise refusal(place.words(), "its vtable", f"has {vtable_bytes} bytes at byte {vtable:,} of {size:,}")
        if table_bytes < 4 or position + table_bytes > size:
            raise refusal(place.words(), "its table", f"has {table_bytes} bytes at byte {position:,} of {size:,}")
        slots = struct.unpack_from(f"<{vtable_bytes // 2 - 2}H", content, vtable + 4)
        for field in layout.fields(table):
            if field.slot >= len(slots):
                break
            inside = slots[field.slot]
            if inside == 0:
                continue
            own = field.width if field.form is Form.SCALAR else 4
            if inside + own > table_bytes or (position + inside) % own:
                raise refusal(place.words(), field.name, f"is at byte {inside} of a part of {table_bytes}")
            if field.form is not Form.SCALAR:
                kind = self._union_type(position, slots, field) if field.form is Form.UNION else 0
                self._follow(position + inside, field, kind, place)

    def _union_type(self, position: int, slots: tuple[int, ...], field: Field) -> int:
        """The type of a union stands in the slot before it; 0 where it is absent."""
        inside = slots[field.slot - 1]
        return self._bytes[position + inside] if inside else 0

    def _follow(self, position: int, field: Field, kind: int, place: _Place) -> None:
        """Check what the offset at `position` leads to."""
        target = position + _U32.unpack_from(self._bytes, position)[0]
        if field.form is Form.TABLE:
            self._add(target, field.table, _Place(place, field.name, None), field.name)
        elif field.form is Form.UNION:
            tables = layout.union_tables(field.table)
            if kind not in tables:
                raise refusal(place.words(), f"{field.name}Type", f"is {kind}, which the schema does not know")
            self._add(target, tables[kind], _Place(place, field.name, None), field.name)
        elif field.form is Form.STRING:
            self._string(target, place, field.name)
        else:
            self._vector(target, field, place)

    def _vector(self, position: int, field: Field, place: _Place) -> None:
        count = self._length(position, field.width, place, field.name)
        first = position + 4
        if field.form is Form.SCALARS:
            if count and first % field.width:
                raise refusal(place.words(), field.name, f"is not aligned to {field.width} bytes")
            return
        offsets = struct.unpack_from(f"<{count}I", self._bytes, first)
        for index, offset in enumerate(offsets):
            target = first + 4 * index + offset
            if field.form is Form.TABLES:
                self._add(target, field.table, _Place(place, field.name, index), field.name)
            else:
                self._string(target, place, field.name)

    def _string(self, position: int, place: _Place, field: str) -> None:
        count = self._length(position, 1, place, field)
        end = position + 4 + count
        if end >= self._size or self._bytes[end] != 0:
            raise refusal(place.words(), field, "is a text without its end")

    def _length(self, position: int, width: int, place: _Place, field: str) -> int:
        """Return the checked length of the vector at `position`."""
        if position % 4 or position + 4 > self._size:
            raise refusal(place.words(), field, f"leads to byte {position:,} of {self._size:,}")
        count: int = _U32.unpack_from(self._bytes, position)[0]
        if position + 4 + count * width > self._size:
            raise refusal(place.words(), field, f"has {count:,} entries at byte {position:,}, more than the file holds")
        self._vector_bytes_left -= count * width
        if self._vector_bytes_left < 0:
            raise refusal(place.words(), field, "is shared so often that the file would unfold to many times its size")
        return count
