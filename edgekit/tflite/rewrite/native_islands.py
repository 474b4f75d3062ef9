"""Float islands of one operator become that operator on integers.

The converter leaves DEQUANTIZE, X, QUANTIZE around an operator of which it knows no integer form. Where TFLM has one,
or another operator computes the same, the two conversions go, and the calibrated scales on both sides stay.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from ai_edge_litert import schema_py_generated as schema

from edgekit.tflite.rewrite._edit import Editor

# Integer kernels that give each output element its scale themselves.
_SAME = {"ELU": 1, "ABS": 3, "RSQRT": 2, "LOGISTIC": 2, "TANH": 2}
# These copy bytes: the output has the input's scale, and a QUANTIZE behind brings it to the calibrated one.
_COPY = {"SPLIT": 2, "RESHAPE": 1, "TRANSPOSE": 2, "EXPAND_DIMS": 1, "SQUEEZE": 1, "SLICE": 2, "STRIDED_SLICE": 2}
_STEPS = 127


def apply(model: Any) -> int:
    """Rewrite every island of one operator; return how many."""
    editor = Editor(model)
    producers, consumers = editor.producers(), editor.consumers()
    replaced: dict[int, list[Any]] = {}
    changes = 0
    for operator in editor.operators:
        make = _FORMS.get(editor.kind(operator))
        ends = _integer_ends(editor, operator, producers, consumers) if make is not None else None
        if make is None or ends is None:
            continue
        # The operators behind wrote what the new one writes.
        replaced |= {id(reader): [] for output in operator.outputs for reader in consumers.get(int(output), [])}
        replaced[id(operator)] = make(editor, operator, *ends)
        changes += 1
    if changes:
        editor.operators = [new for operator in editor.operators for new in replaced.get(id(operator), [operator])]
        editor.commit()
    return changes


def _integer_ends(
    editor: Editor, operator: Any, producers: dict[int, Any], consumers: dict[int, list[Any]]
) -> tuple[int, list[list[int]]] | None:
    """Return the int8 tensor in front, and per output the int8 tensors behind; None where it is no such island.

    The operator has one computed float input; every reader of every output is a QUANTIZE.
    """
    computed = [int(index) for index in operator.inputs if index >= 0 and editor.constant(int(index)) is None]
    if len(set(computed)) != 1 or not editor.is_type(computed[0], "FLOAT32"):
        return None
    front = producers.get(computed[0])
    if front is None or editor.kind(front) != "DEQUANTIZE":
        return None
    source = int(front.inputs[0])
    behind = []
    for output in (int(index) for index in operator.outputs):
        readers = consumers.get(output, [])
        if editor.is_model_end(output) or any(editor.kind(reader) != "QUANTIZE" for reader in readers):
            return None
        behind.append([int(reader.outputs[0]) for reader in readers])
    targets = [target for tensors in behind for target in tensors]
    if not targets or any(not editor.is_type(tensor, "INT8") for tensor in (source, *targets)):
        return None
    if any(editor.scale(tensor) is None for tensor in (source, *targets)):
        return None
    return source, behind


def _same(editor: Editor, operator: Any, source: int, behind: list[list[int]]) -> list[Any]:
    """The integer kernel of the same name, once for each scale that is wanted."""
    kind = editor.kind(operator)
    return [_like(editor, operator, kind, _SAME[kind], [source], [target]) for target in dict.fromkeys(behind[0])]


def _copy(editor: Editor, operator: Any, source: int, behind: list[list[int]]) -> list[Any]:
    kind, scale = editor.kind(operator), editor.scale(source)
    inputs = [source if editor.constant(int(index)) is None else int(index) for index in operator.inputs]
    moved = []
    for output in (int(index) for index in operator.outputs):
        moved.append(editor.add_tensor(editor.name(output) + "/int8", editor.shape(output), "INT8", scale=scale))
    made = [_like(editor, operator, kind, _COPY[kind], inputs, moved)]
    pairs = [(copy, target) for copy, targets in zip(moved, behind, strict=True) for target in dict.fromkeys(targets)]
    return made + [editor.quantize(copy, target) for copy, target in pairs]


def _negative(editor: Editor, operator: Any, source: int, behind: list[list[int]]) -> list[Any]:
    """Times -1, written as -127 steps of 1/127: TFLM's NEG knows float alone."""
    minus_one = editor.add_tensor(
        editor.name(int(operator.outputs[0])) + "/minus_one",
        (),
        "INT8",
        scale=(1 / _STEPS, 0),
        data=np.array(-_STEPS, np.int8),
    )
    return [_mul(editor, source, minus_one, target) for target in dict.fromkeys(behind[0])]


def _square(editor: Editor, _: Any, source: int, behind: list[list[int]]) -> list[Any]:
    return [_mul(editor, source, source, target) for target in dict.fromkeys(behind[0])]


def _mul(editor: Editor, left: int, right: int, target: int) -> Any:
    return editor.operator("MUL", [left, right], [target], schema.MulOptionsT(), version=2)


def _like(editor: Editor, operator: Any, kind: str, version: int, inputs: list[int], outputs: list[int]) -> Any:
    made = editor.operator(kind, inputs, outputs, version=version)
    made.builtinOptionsType, made.builtinOptions = operator.builtinOptionsType, operator.builtinOptions
    return made


_Form = Callable[[Editor, Any, int, list[list[int]]], list[Any]]
_FORMS: dict[str, _Form] = {
    **dict.fromkeys(_SAME, _same),
    **dict.fromkeys(_COPY, _copy),
    "NEG": _negative,
    "SQUARE": _square,
}
