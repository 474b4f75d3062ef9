"""What fields each table of the TFLite schema has, asked of the generated accessors themselves.

The accessors say how they would read a field; a stand-in for the flatbuffer writes that down. So the guard knows
exactly the schema that is installed, and no second copy of it has to be kept in step.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from functools import cache
from types import FunctionType
from typing import Any


class Form(Enum):
    """How a field is stored: in the table itself, or behind an offset."""

    SCALAR = "scalar"
    STRING = "string"
    TABLE = "table"
    SCALARS = "vector of scalars"
    STRINGS = "vector of strings"
    TABLES = "vector of tables"
    UNION = "union"


@dataclass(frozen=True, slots=True)
class Field:
    """One field of a table.

    Attributes:
        name: as the generated object API spells it, e.g. ``strideH``.
        slot: its place in the vtable, counted from 0.
        form: how it is stored.
        width: bytes of the scalar, or of one element; 4 for an offset.
        table: name of the table behind it; "" where there is none. Of a union: name of the enum of its types.
    """

    name: str
    slot: int
    form: Form
    width: int
    table: str


class _Probe:
    """Stands in for `flatbuffers.table.Table`: every field is there, and each access leaves a trace."""

    def __init__(self) -> None:
        self.Pos, self.Bytes = 0, bytearray(8)
        self.slot, self.width, self.trace = -1, 4, ""

    def Offset(self, vtable_offset: int) -> int:  # noqa: N802
        self.slot = (vtable_offset - 4) // 2
        return 1

    def Get(self, flags: Any, _position: int) -> int:  # noqa: N802
        self.width, self.trace = flags.bytewidth, self.trace + "scalar"
        return 0

    def Vector(self, _offset: int) -> int:  # noqa: N802
        self.trace += "vector of "
        return 0

    def Indirect(self, _position: int) -> int:  # noqa: N802
        self.trace += "table"
        return 0

    def String(self, _position: int) -> bytes:  # noqa: N802
        self.trace += "string"
        return b""

    def Union(self, _table: Any, _offset: int) -> None:  # noqa: N802
        self.trace += "union"


_FORMS = {
    "scalar": Form.SCALAR,
    "string": Form.STRING,
    "table": Form.TABLE,
    "vector of scalar": Form.SCALARS,
    "vector of string": Form.STRINGS,
    "vector of table": Form.TABLES,
    "union": Form.UNION,
}
_NOT_FIELDS = ("Init", "GetRootAs")
_HELPERS = ("Length", "AsNumpy", "IsNone")


@cache
def fields(table: str) -> tuple[Field, ...]:
    """Return the fields of a table, in the order of their slots.

    Args:
        table: its name in the schema.

    Example:
        >>> [(field.name, field.form.value) for field in fields("Metadata")]
        [('name', 'string'), ('buffer', 'scalar')]
    """
    from ai_edge_litert import schema_py_generated as schema

    accessors = vars(getattr(schema, table))
    found = []
    for name, accessor in accessors.items():
        is_helper = any(name.endswith(end) and name.removesuffix(end) in accessors for end in _HELPERS)
        if isinstance(accessor, FunctionType) and name not in _NOT_FIELDS and not is_helper:
            found.append(_field(schema, table, name, accessor))
    return tuple(sorted(found, key=lambda field: field.slot))


def _field(schema: Any, table: str, name: str, accessor: FunctionType) -> Field:
    probe = _Probe()
    owner = getattr(schema, table)()
    owner._tab = probe
    answer = accessor(owner, *([0] * (accessor.__code__.co_argcount - 1)))
    form = _FORMS[probe.trace]
    behind = ""
    if form in (Form.TABLE, Form.TABLES):
        behind = type(answer).__name__
    elif form is Form.UNION:
        behind = name if hasattr(schema, name) else _union_of(schema, name)
    width = probe.width if form in (Form.SCALAR, Form.SCALARS) else 4
    return Field(name[0].lower() + name[1:], probe.slot, form, width, behind)


def _union_of(schema: Any, name: str) -> str:
    """The enum of a union whose field is not called like it: Details is a QuantizationDetails."""
    names = {
        "Details": "QuantizationDetails",
        "ArraySegments": "SparseIndexVector",
        "ArrayIndices": "SparseIndexVector",
    }
    assert hasattr(schema, names[name])
    return names[name]


@cache
def union_tables(union: str) -> dict[int, str]:
    """Return the table that each type number of a union stands for.

    Example:
        >>> union_tables("BuiltinOptions")[1]
        'Conv2DOptions'
    """
    from ai_edge_litert import schema_py_generated as schema

    return {
        number: name for name, number in vars(getattr(schema, union)).items() if isinstance(number, int) and number != 0
    }
