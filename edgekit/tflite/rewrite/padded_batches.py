"""SPACE_TO_BATCH_ND with paddings as PAD in front of one without.

TFLM's kernel fills paddings with a value that nobody sets; its PAD fills with the zero point, as it should.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from ai_edge_litert import schema_py_generated as schema

from edgekit.tflite.rewrite._edit import Editor


def apply(model: Any) -> int:
    """Rewrite every SPACE_TO_BATCH_ND with constant paddings that are not all zero; return how many."""
    editor = Editor(model)
    operators: list[Any] = []
    changes = 0
    for operator in editor.operators:
        paddings = editor.constant(int(operator.inputs[2])) if editor.kind(operator) == "SPACE_TO_BATCH_ND" else None
        if paddings is not None and paddings.any():
            operators.append(_pad(editor, operator, paddings))
            changes += 1
        operators.append(operator)
    if changes:
        editor.operators = operators
        editor.commit()
    return changes


def _pad(editor: Editor, operator: Any, paddings: Any) -> Any:
    """Let the operator read a padded tensor, and return what pads it."""
    source = int(operator.inputs[0])
    shape = list(editor.shape(source))
    sides = np.zeros((len(shape), 2), np.int32)
    sides[1 : 1 + len(paddings)] = paddings
    padded = editor.copy_tensor(source, "/padded")
    editor.tensors[padded].shape = [size + int(side.sum()) for size, side in zip(shape, sides, strict=True)]
    amounts = editor.add_tensor(f"{editor.name(source)}/paddings", sides.shape, "INT32", data=sides)
    nothing = editor.add_tensor(f"{editor.name(source)}/no_paddings", paddings.shape, "INT32", data=paddings * 0)
    Editor.set_input(operator, 0, padded)
    Editor.set_input(operator, 2, nothing)
    return editor.operator("PAD", [source, amounts], [padded], schema.PadOptionsT(), version=2)
