"""CAST of int32 to float and back, which is the identity for every index below 2^24: both go."""

from __future__ import annotations

from typing import Any

from edgekit.tflite.rewrite._edit import Editor


def apply(model: Any) -> int:
    """Let readers of such a pair read what went in; return how many pairs."""
    editor = Editor(model)
    producers = editor.producers()
    changes = 0
    for operator in editor.operators:
        if editor.kind(operator) != "CAST":
            continue
        first = producers.get(int(operator.inputs[0]))
        if first is None or editor.kind(first) != "CAST":
            continue
        source, middle, target = int(first.inputs[0]), int(operator.inputs[0]), int(operator.outputs[0])
        types = [editor.tensors[tensor].type for tensor in (source, target)]
        if not editor.is_type(middle, "FLOAT32") or types[0] != types[1] or editor.is_type(source, "FLOAT32"):
            continue
        if editor.is_model_end(target):
            continue
        for reader in editor.operators:
            reader.inputs = [source if int(index) == target else int(index) for index in reader.inputs]
        changes += 1
    return changes
