"""Chains of element-wise operators with a float island, or with one that TFLM lacks, as one exact table.

Whatever a chain computes from one int8 tensor is a function of one byte. It is evaluated in double precision for all
256 bytes and quantized once, with the scale of the chain's last tensor: CAST to int32, ADD 128, GATHER from the table.
That is portable, and truer than the converter's own chain, in which every link rounds.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from ai_edge_litert import schema_py_generated as schema
from numpy.typing import NDArray

from edgekit.tflite.rewrite import _elementwise
from edgekit.tflite.rewrite._edit import Editor

_CODES = np.arange(-128, 128, dtype=np.int64)
# TFLM computes these in float only, or not at all.
_LACKING = {
    "GELU", "EXP", "LOG", "SQRT", "SIN", "COS", "NEG", "SQUARE", "SELECT", "POW", "FLOOR", "CEIL", "ROUND", "SIGN",
    "ATAN2", "DEQUANTIZE",
}  # fmt: skip


@dataclass(frozen=True, slots=True, eq=False)
class _Link:
    """A tensor of a chain: what it is for each of the root's 256 codes.

    Attributes:
        root: the int8 tensor that everything derives from.
        values: float64 or bool, shape (256,).
        needs_table: an operator between root and here has no integer kernel.
    """

    root: int
    values: NDArray[Any]
    needs_table: bool


def apply(model: Any) -> int:
    """Put a table in the place of every such chain; return how many tables."""
    editor = Editor(model)
    links: dict[int, _Link] = {}
    joined: set[int] = set()
    for operator in editor.operators:
        link = _link(editor, operator, links)
        if link is not None:
            links[int(operator.outputs[0])] = link
            joined.add(id(operator))
    wanted = {tensor: link for tensor, link in links.items() if _is_exit(editor, tensor, link, links, joined)}
    if not wanted:
        return 0
    indices: dict[int, int] = {}
    operators: list[Any] = []
    for operator in editor.operators:
        target = int(operator.outputs[0]) if len(operator.outputs) else -1
        operators += _table(editor, target, wanted[target], indices) if target in wanted else [operator]
    editor.operators = operators
    editor.commit()
    return len(wanted)


def _link(editor: Editor, operator: Any, links: dict[int, _Link]) -> _Link | None:
    """Return what the operator's output is as a function of one root; None where it is none."""
    kind = editor.kind(operator)
    if kind not in _elementwise.KINDS or len(operator.outputs) != 1:
        return None
    output = int(operator.outputs[0])
    operands: list[NDArray[Any]] = []
    roots: set[int] = set()
    needs_table = kind in _LACKING
    for tensor in (int(index) for index in operator.inputs):
        constant = _scalar(editor, tensor)
        if constant is not None:
            operands.append(constant)
            continue
        link = links.get(tensor) or _root(editor, tensor)
        if link is None or editor.shape(tensor) != editor.shape(output):
            return None
        operands.append(link.values)
        roots.add(link.root)
        needs_table = needs_table or link.needs_table
    if len(roots) != 1:
        return None
    with np.errstate(all="ignore"):
        values = _elementwise.evaluate(kind, operator.builtinOptions, operands)
    if values is None:
        return None
    return _Link(roots.pop(), np.broadcast_to(values, _CODES.shape), needs_table)


def _root(editor: Editor, tensor: int) -> _Link | None:
    scale = editor.scale(tensor) if tensor >= 0 and editor.is_type(tensor, "INT8") else None
    if scale is None or editor.constant(tensor) is not None:
        return None
    return _Link(tensor, scale[0] * (_CODES - scale[1]).astype(np.float64), needs_table=False)


def _scalar(editor: Editor, tensor: int) -> NDArray[Any] | None:
    """Return a constant of one element as a real value (or a bool); None for everything else."""
    stored = editor.constant(tensor)
    if stored is None or stored.size != 1:
        return None
    if stored.dtype == np.bool_:
        return stored.reshape(())
    real = stored.reshape(()).astype(np.float64)
    scale = editor.scale(tensor)
    if stored.dtype == np.float32:
        return real
    return None if scale is None else np.asarray(scale[0] * (real - scale[1]))


def _is_exit(editor: Editor, tensor: int, link: _Link, links: dict[int, _Link], joined: set[int]) -> bool:
    """Say whether somebody outside of the chain reads the tensor, and it can come from a table."""
    if not link.needs_table or not editor.is_type(tensor, "INT8") or editor.scale(tensor) is None:
        return False
    if not np.isfinite(link.values.astype(np.float64)).all():
        return False
    if editor.is_model_end(tensor):
        return True
    readers = editor.consumers().get(tensor, [])
    return any(id(reader) not in joined or links[int(reader.outputs[0])].root != link.root for reader in readers)


def _table(editor: Editor, target: int, link: _Link, indices: dict[int, int]) -> list[Any]:
    """Return the operators that look the target up; the indices of one root are shared by its tables."""
    scale = editor.scale(target)
    assert scale is not None
    made: list[Any] = []
    if link.root not in indices:
        made, indices[link.root] = _index(editor, link.root)
    steps = link.values.astype(np.float64) / scale[0]
    rounded = np.trunc(steps + np.copysign(0.5, steps)) + scale[1]
    table = editor.add_tensor(
        editor.name(target) + "/table",
        _CODES.shape,
        "INT8",
        scale=scale,
        data=np.clip(rounded, -128, 127).astype(np.int8),
    )
    options = schema.GatherOptionsT()
    return [*made, editor.operator("GATHER", [table, indices[link.root]], [target], options, version=2)]


def _index(editor: Editor, root: int) -> tuple[list[Any], int]:
    """Return the operators that turn int8 codes into indices 0 to 255, and the tensor with these."""
    name, shape = editor.name(root), editor.shape(root)
    code = editor.add_tensor(name + "/code", shape, "INT32")
    index = editor.add_tensor(name + "/index", shape, "INT32")
    offset = editor.add_tensor(name + "/offset", (), "INT32", data=np.array(128, np.int32))
    cast = schema.CastOptionsT()
    cast.inDataType, cast.outDataType = schema.TensorType.INT8, schema.TensorType.INT32
    return [
        editor.operator("CAST", [root], [code], cast),
        editor.operator("ADD", [code, offset], [index], schema.AddOptionsT(), version=1),
    ], index
