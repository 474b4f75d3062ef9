"""What copies bytes must not change what a byte means: a QUANTIZE goes in front where scales differ.

The converter breaks this for REVERSE_V2 in front of CONCATENATION: no float, no error, and a wrong result.
"""

from __future__ import annotations

from typing import Any

from edgekit.tflite.rewrite._edit import Editor

# Positions of the inputs that are copied; None for all of them.
_COPYING: dict[str, tuple[int, ...] | None] = {
    "RESHAPE": (0,),
    "REVERSE_V2": (0,),
    "TRANSPOSE": (0,),
    "SLICE": (0,),
    "STRIDED_SLICE": (0,),
    "GATHER": (0,),
    "GATHER_ND": (0,),
    "SPLIT": (1,),
    "SPLIT_V": (0,),
    "UNPACK": (0,),
    "PACK": None,
    "CONCATENATION": None,
    "PAD": (0,),
    "MIRROR_PAD": (0,),
    "MAX_POOL_2D": (0,),
    "AVERAGE_POOL_2D": (0,),
    "RESIZE_NEAREST_NEIGHBOR": (0,),
    "RESIZE_BILINEAR": (0,),
    "SQUEEZE": (0,),
    "EXPAND_DIMS": (0,),
    "DEPTH_TO_SPACE": (0,),
    "SPACE_TO_DEPTH": (0,),
    "SPACE_TO_BATCH_ND": (0,),
    "BATCH_TO_SPACE_ND": (0,),
    "BROADCAST_TO": (0,),
    "MAXIMUM": None,
    "MINIMUM": None,
    "SELECT_V2": (1, 2),
}
_TYPES = ("INT8", "INT16")


def apply(model: Any) -> int:
    """Make the scales of every copying operator equal; return how many QUANTIZE it took."""
    editor = Editor(model)
    operators: list[Any] = []
    changes = 0
    for operator in editor.operators:
        several = len(operator.outputs) > 1
        front = [] if several else _in_front(editor, operator)
        behind = _behind(editor, operator) if several else []
        operators += [*front, operator, *behind]
        changes += len(front) + len(behind)
    if changes:
        editor.operators = operators
        editor.commit()
    return changes


def unequal(editor: Editor, operator: Any, output: int) -> list[int]:
    """Return the positions of the inputs whose scale or zero point is not that of an output.

    An operator that does not copy has none.
    """
    kind = editor.kind(operator)
    if kind not in _COPYING:
        return []
    positions = _COPYING[kind]
    expected = editor.scale(output)
    return [
        position
        for position in (range(len(operator.inputs)) if positions is None else positions)
        if any(editor.is_type(int(operator.inputs[position]), name) for name in _TYPES)
        and editor.scale(int(operator.inputs[position])) != expected
    ]


def _in_front(editor: Editor, operator: Any) -> list[Any]:
    target = int(operator.outputs[0])
    made: list[Any] = []
    repaired: dict[int, int] = {}
    for position in unequal(editor, operator, target):
        source = int(operator.inputs[position])
        if source not in repaired:
            repaired[source] = editor.copy_tensor(source, "/requantized", scale=editor.scale(target))
            made.append(editor.quantize(source, repaired[source]))
        editor.set_input(operator, position, repaired[source])
    return made


def _behind(editor: Editor, operator: Any) -> list[Any]:
    """Where one input goes to several outputs, each output gets the input's scale, and then its own."""
    made = []
    for number, target in enumerate(int(index) for index in operator.outputs):
        for position in unequal(editor, operator, target):
            copied = editor.copy_tensor(target, "/copied", scale=editor.scale(int(operator.inputs[position])))
            editor.set_output(operator, number, copied)
            made.append(editor.quantize(copied, target))
    return made
