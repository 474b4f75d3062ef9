"""The hidden state of a fused LSTM has the scale of its output, or TFLM and LiteRT go apart.

UNIDIRECTIONAL_SEQUENCE_LSTM keeps its hidden state in input 18 and describes it once more in intermediate 4.
"""

from __future__ import annotations

import copy
from typing import Any

from edgekit.tflite.rewrite._edit import Editor

_HIDDEN_STATE = 18
_HIDDEN_INTERMEDIATE = 4


def apply(model: Any) -> int:
    """Give the hidden state of every int8 LSTM its output's scale; return how many tensors changed."""
    editor = Editor(model)
    changes = 0
    for operator in editor.operators:
        if editor.kind(operator) != "UNIDIRECTIONAL_SEQUENCE_LSTM" or not editor.is_type(
            int(operator.outputs[0]), "INT8"
        ):
            continue
        output = int(operator.outputs[0])
        for tensor in _hidden(operator):
            if editor.scale(tensor) != editor.scale(output):
                editor.tensors[tensor].quantization = copy.deepcopy(editor.tensors[output].quantization)
                changes += 1
    return changes


def _hidden(operator: Any) -> list[int]:
    intermediates = operator.intermediates if operator.intermediates is not None else []
    found = [int(operator.inputs[_HIDDEN_STATE])] if len(operator.inputs) > _HIDDEN_STATE else []
    if len(intermediates) > _HIDDEN_INTERMEDIATE:
        found.append(int(intermediates[_HIDDEN_INTERMEDIATE]))
    return [tensor for tensor in found if tensor >= 0]
