"""ARG_MAX and ARG_MIN to int64, which is TensorFlow's default, to int32: TFLM writes no other positions."""

from __future__ import annotations

from typing import Any

import numpy as np
from ai_edge_litert import schema_py_generated as schema

from edgekit.tflite.rewrite._edit import Editor


def apply(model: Any) -> int:
    """Narrow every position that only the model's output or a CAST reads; return how many.

    A model's output becomes int32 with it: a position in a tensor for a small device fits.
    """
    editor = Editor(model)
    consumers = editor.consumers()
    changes = 0
    for operator in editor.operators:
        if editor.kind(operator) not in ("ARG_MAX", "ARG_MIN"):
            continue
        output = int(operator.outputs[0])
        readers = consumers.get(output, [])
        if not editor.is_type(output, "INT64") or any(editor.kind(reader) != "CAST" for reader in readers):
            continue
        editor.tensors[output].type = schema.TensorType.INT32
        operator.builtinOptions.outputType = schema.TensorType.INT32
        _narrow_axis(editor, operator)
        for reader in readers:
            if reader.builtinOptions is not None:
                reader.builtinOptions.inDataType = schema.TensorType.INT32
        changes += 1
    if changes:
        editor.commit()
    return changes


def _narrow_axis(editor: Editor, operator: Any) -> None:
    """The axis may be an int64 as well."""
    axis = int(operator.inputs[1])
    values = editor.constant(axis)
    if values is not None and editor.is_type(axis, "INT64"):
        narrow = editor.add_tensor(f"{editor.name(axis)}/int32", values.shape, "INT32", data=values.astype(np.int32))
        Editor.set_input(operator, 1, narrow)
