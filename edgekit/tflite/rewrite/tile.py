"""TILE, which TFLM does not have, as CONCATENATION of the tensor with itself, one axis after the other."""

from __future__ import annotations

from typing import Any

from ai_edge_litert import schema_py_generated as schema

from edgekit.tflite.rewrite._edit import Editor


def apply(model: Any) -> int:
    """Rewrite every TILE of integers whose multiples are constant; return how many."""
    editor = Editor(model)
    operators: list[Any] = []
    changes = 0
    for operator in editor.operators:
        multiples = editor.constant(int(operator.inputs[1])) if editor.kind(operator) == "TILE" else None
        if multiples is None or editor.is_type(int(operator.inputs[0]), "FLOAT32"):
            operators.append(operator)
            continue
        operators.extend(_concatenations(editor, operator, [int(times) for times in multiples.reshape(-1)]))
        changes += 1
    if changes:
        editor.operators = operators
        editor.commit()
    return changes


def _concatenations(editor: Editor, operator: Any, multiples: list[int]) -> list[Any]:
    source, target = int(operator.inputs[0]), int(operator.outputs[0])
    axes = [axis for axis, times in enumerate(multiples) if times > 1]
    if not axes:
        options = schema.ReshapeOptionsT()
        options.newShape = list(editor.shape(target))
        return [editor.operator("RESHAPE", [source], [target], options)]
    made, shape = [], list(editor.shape(source))
    for axis in axes:
        shape[axis] *= multiples[axis]
        output = target
        if axis != axes[-1]:
            output = editor.copy_tensor(target, f"/axis_{axis}")
            editor.tensors[output].shape = list(shape)
        options = schema.ConcatenationOptionsT()
        options.axis = axis
        made.append(editor.operator("CONCATENATION", [source] * multiples[axis], [output], options, version=2))
        source = output
    return made
