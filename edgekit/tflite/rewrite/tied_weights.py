"""One int8 copy of a matrix that a language model looks words up in, and multiplies by to score them.

The converter writes it twice: the table with one scale and a zero point for its range, the weights of the dense layer
symmetric, with a scale for each row. No byte of the two agrees. Here both get the dense layer's numbers with one
symmetric scale; what the table's rows are copied to gets that scale too, and the biases at both ends are rounded anew.
Rows that differ much in size lose by the one scale; the outputs' SQNR tells.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edgekit.tflite.rewrite._edit import Editor

_ROWS_AT_ONCE = 1024
# What copies a row, and what takes an input of any scale; in front of all else a QUANTIZE brings the old scale back.
_COPYING = ("RESHAPE", "SQUEEZE", "EXPAND_DIMS", "TRANSPOSE", "SLICE", "STRIDED_SLICE", "PAD")
_ANY_SCALE = ("ADD", "SUB", "MUL", "SQUARED_DIFFERENCE", "MEAN", "SUM", "BATCH_MATMUL", "QUANTIZE", "DEQUANTIZE")
_WITH_BIAS = ("FULLY_CONNECTED", "CONV_2D")


@dataclass(slots=True)
class _Reach:
    """Tensors that hold copies of a table's rows, and layers that read them and have a bias."""

    copies: list[int] = field(default_factory=list)
    layers: list[Any] = field(default_factory=list)


def apply(model: Any) -> int:
    """Give look-up tables the numbers of the dense layer that holds the same matrix; return how many."""
    editor = Editor(model)
    changes = 0
    for operator in list(editor.operators):
        if editor.kind(operator) != "GATHER":
            continue
        layer = _twin(editor, int(operator.inputs[0]))
        if layer is not None and not _is_shared(editor, operator, layer):
            _share(editor, operator, layer)
            changes += 1
    if changes:
        editor.commit()
    return changes


def _twin(editor: Editor, table: int) -> Any | None:
    """The FULLY_CONNECTED whose weights are the table's numbers."""
    if not editor.is_type(table, "INT8") or editor.constant(table) is None or editor.scale(table) is None:
        return None
    for other in editor.operators:
        if editor.kind(other) != "FULLY_CONNECTED":
            continue
        weights = int(other.inputs[1])
        if weights == table or not editor.is_type(weights, "INT8") or editor.shape(weights) != editor.shape(table):
            continue
        same = editor.constant(weights) is not None and len(_scales(editor, weights)) and _agree(editor, table, weights)
        if same and editor.scale(int(other.inputs[0])) is not None:
            return other
    return None


def _is_shared(editor: Editor, gather: Any, layer: Any) -> bool:
    table, weights = (editor.tensors[int(operator.inputs[place])] for operator, place in ((gather, 0), (layer, 1)))
    one_scale = editor.scale(int(gather.outputs[0])) == editor.scale(int(layer.inputs[1]))
    return one_scale and bool(table.buffer == weights.buffer)


def _agree(editor: Editor, table: int, weights: int) -> bool:
    """Both stand for the same real numbers within the rounding of both.

    The converter takes a table's range from the rows that calibration saw: others are cut off at its ends.
    """
    ours, theirs = editor.constant(table), editor.constant(weights)
    scale = editor.scale(table)
    assert ours is not None and theirs is not None and scale is not None
    scales, cut_off = _scales(editor, weights), 0
    lowest, highest = ((end - scale[1]) * scale[0] for end in (-128, 127))
    for start in range(0, len(ours), _ROWS_AT_ONCE):
        rows = slice(start, start + _ROWS_AT_ONCE)
        step = scales[rows, np.newaxis] if len(scales) > 1 else scales
        wanted = np.clip(theirs[rows] * step, lowest, highest)
        apart = np.abs((ours[rows].astype(np.float64) - scale[1]) * scale[0] - wanted)
        if not bool(np.all(apart <= 0.5001 * (scale[0] + step))):
            return False
        cut_off += int(((wanted == lowest) | (wanted == highest)).sum())
    return cut_off < ours.size // 2


def _share(editor: Editor, gather: Any, layer: Any) -> None:
    table, old = int(gather.inputs[0]), editor.scale(int(gather.outputs[0]))
    new = _one_scale(editor, layer)
    shared = editor.tensors[int(layer.inputs[1])]
    editor.tensors[table].buffer, editor.tensors[table].quantization = shared.buffer, shared.quantization
    reach = _Reach()
    if old is None or _follow(editor, int(gather.outputs[0]), reach):
        for tensor in reach.copies:
            editor.tensors[tensor].quantization = shared.quantization
        for reader in reach.layers:
            _round_bias(editor, reader, old_input=old[0] if old is not None else new)
    else:
        target = int(gather.outputs[0])
        editor.set_output(gather, 0, editor.copy_tensor(target, "/shared", scale=(new, 0)))
        place = next(at for at, operator in enumerate(editor.operators) if operator is gather)
        editor.operators.insert(place + 1, editor.quantize(int(gather.outputs[0]), target))


def _one_scale(editor: Editor, layer: Any) -> float:
    """Give a dense layer's weights one symmetric scale, and return it."""
    weights = int(layer.inputs[1])
    stored, scales = editor.constant(weights), _scales(editor, weights)
    assert stored is not None
    if len(scales) == 1:
        return float(scales[0])
    largest = np.abs(stored.astype(np.int16)).max(axis=1) * scales
    scale = float(np.float32(largest.max() / 127))
    codes = np.empty_like(stored)
    for start in range(0, len(stored), _ROWS_AT_ONCE):
        rows = slice(start, start + _ROWS_AT_ONCE)
        codes[rows] = np.clip(np.rint(stored[rows] * (scales[rows, np.newaxis] / scale)), -127, 127)
    made = editor.add_tensor(editor.name(weights), stored.shape, "INT8", scale=(scale, 0), data=codes)
    editor.set_input(layer, 1, made)
    _round_bias(editor, layer, old_weights=scales)
    return scale


def _follow(editor: Editor, tensor: int, reach: _Reach) -> bool:
    """Find what a new scale of `tensor` touches; False where something cannot take another one."""
    if editor.is_model_end(tensor):
        return False
    reach.copies.append(tensor)
    for reader in editor.consumers().get(tensor, []):
        kind = editor.kind(reader)
        if kind in _COPYING and int(reader.inputs[0]) == tensor:
            if not _follow(editor, int(reader.outputs[0]), reach):
                return False
        elif kind in _WITH_BIAS and int(reader.inputs[0]) == tensor:
            reach.layers.append(reader)
        elif kind not in _ANY_SCALE:
            return False
    return True


def _round_bias(
    editor: Editor, layer: Any, *, old_input: float | None = None, old_weights: NDArray[np.float64] | None = None
) -> None:
    """Bring a layer's bias to the scale of its input times its weights, one of which was another before."""
    bias = int(layer.inputs[2]) if len(layer.inputs) > 2 else -1
    values, source = (editor.constant(bias) if bias >= 0 else None), editor.scale(int(layer.inputs[0]))
    if values is None or source is None:
        return
    weights = _scales(editor, int(layer.inputs[1]))
    before = (source[0] if old_input is None else old_input) * (weights if old_weights is None else old_weights)
    after = source[0] * weights
    dtype = "INT32" if values.dtype == np.int32 else "INT64"
    rounded = np.rint(values * (before / after)).astype(values.dtype)
    made = editor.add_tensor(editor.name(bias), values.shape, dtype, scale=(1.0, 0), data=rounded)
    quantization = editor.tensors[made].quantization
    quantization.scale, quantization.zeroPoint = after.astype(np.float32), np.zeros(len(after), np.int64)
    editor.set_input(layer, 2, made)


def _scales(editor: Editor, tensor: int) -> NDArray[np.float64]:
    quantization = editor.tensors[tensor].quantization
    scale = quantization.scale if quantization is not None else None
    return np.asarray(scale if scale is not None else (), np.float64)
