"""RELU6 and its kin as QUANTIZE and, where that is not enough, MINIMUM and MAXIMUM.

TFLM's stand-alone int8 RELU6 compares with 0 and 6 in the input's scale and copies, also where the output has
another scale: wrong values, no error. RELU_N1_TO_1 and RELU_0_TO_1 it does not have. LiteRT's kernel multiplies the
step by input scale / output scale in the same fixed point as QUANTIZE does, then clamps: so the bits are LiteRT's.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from ai_edge_litert import schema_py_generated as schema

from edgekit.tflite.rewrite._edit import Editor

_LIMITS = {"RELU6": (0.0, 6.0), "RELU_N1_TO_1": (-1.0, 1.0), "RELU_0_TO_1": (0.0, 1.0)}


def apply(model: Any) -> int:
    """Rewrite every stand-alone int8 clamp that TFLM would compute wrongly; return how many."""
    editor = Editor(model)
    operators: list[Any] = []
    changes = 0
    for operator in editor.operators:
        replaced = _replaced(editor, operator)
        operators.extend([operator] if replaced is None else replaced)
        changes += replaced is not None
    if changes:
        editor.operators = operators
        editor.commit()
    return changes


def _replaced(editor: Editor, operator: Any) -> list[Any] | None:
    kind = editor.kind(operator)
    if kind not in _LIMITS:
        return None
    source, target = int(operator.inputs[0]), int(operator.outputs[0])
    before, after = editor.scale(source), editor.scale(target)
    if before is None or after is None or not editor.is_type(source, "INT8") or not editor.is_type(target, "INT8"):
        return None
    if kind == "RELU6" and before == after:
        return None
    low, high = (_step(limit, *after) for limit in _LIMITS[kind])
    clamps = [
        (name, limit) for name, limit, needed in (("MAXIMUM", low, low > -128), ("MINIMUM", high, high < 127)) if needed
    ]
    tensors = [source, *(editor.copy_tensor(target, f"/{name.lower()}") for name, _ in clamps), target]
    made = [editor.quantize(tensors[0], tensors[1])]
    for (name, limit), before_clamp, after_clamp in zip(clamps, tensors[1:], tensors[2:], strict=False):
        bound = editor.add_tensor(
            f"{editor.name(target)}/{name.lower()}_bound", (), "INT8", scale=after, data=np.array(limit, np.int8)
        )
        made.append(
            editor.operator(name, [before_clamp, bound], [after_clamp], schema.MaximumMinimumOptionsT(), version=2)
        )
    return made


def _step(real: float, scale: float, zero_point: int) -> int:
    """Quantize as LiteRT does for activation limits: halves away from zero, saturated."""
    quotient = np.float32(real) / np.float32(scale)
    rounded = math.floor(abs(float(quotient)) + 0.5) * (1 if quotient >= 0 else -1) + zero_point
    return max(-128, min(127, rounded))
