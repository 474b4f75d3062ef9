"""GATHER without the wrap of negative indices that Keras puts in front of a table.

Keras writes take(table, i) as GATHER(table, SELECT(i < 0, i + n, i)), and TFLM has no SELECT of int32. Indices of an
Embedding are never negative, so the select is i itself.
"""

from __future__ import annotations

from typing import Any

from edgekit.tflite.rewrite._edit import Editor


def apply(model: Any) -> int:
    """Let every such GATHER read the bare indices; return how many."""
    editor = Editor(model)
    producers = editor.producers()
    changes = 0
    for operator in editor.operators:
        if editor.kind(operator) != "GATHER":
            continue
        bare = _bare_indices(editor, producers, int(operator.inputs[1]), int(operator.inputs[0]))
        if bare is not None:
            editor.set_input(operator, 1, bare)
            changes += 1
    return changes


def _bare_indices(editor: Editor, producers: dict[int, Any], indices: int, table: int) -> int | None:
    """Return i of SELECT(LESS(i, 0), ADD(i, rows), i); None where the indices are made otherwise."""
    select = producers.get(indices)
    if select is None or editor.kind(select) not in ("SELECT", "SELECT_V2"):
        return None
    condition, wrapped, bare = (int(index) for index in select.inputs)
    less, add = producers.get(condition), producers.get(wrapped)
    if less is None or add is None or editor.kind(less) != "LESS" or editor.kind(add) != "ADD":
        return None
    zero, rows = editor.constant(int(less.inputs[1])), editor.constant(int(add.inputs[1]))
    if int(less.inputs[0]) != bare or int(add.inputs[0]) != bare or zero is None or rows is None:
        return None
    return bare if (zero == 0).all() and (rows == editor.shape(table)[0]).all() else None
