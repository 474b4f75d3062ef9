"""Weights of named layers in 4 bits, and weights with one scale a tensor where the converter gave one a channel.

No converter of TensorFlow writes 4-bit weights with integer activations, so int8 ones are rewritten: two a byte, with
their scales and the layer's bias. Weights that lie on a 4-bit grid, as quantization and quantization-aware training
leave them, keep their values exactly; others are rounded to the grid of their largest. Not among `PASSES`: it needs
the plan and the layers' kernels.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from ai_edge_litert import schema_py_generated as schema
from numpy.typing import NDArray

from edgekit.errors import ModelError
from edgekit.tflite.flatbuffer import pack, remove_unused, unpack
from edgekit.tflite.quantization_plan import QuantizationPlan
from edgekit.tflite.rewrite._edit import Editor

Floats = NDArray[np.float64]
# Axis of the output channels of an operator's weights.
_CHANNEL_AXIS = {"CONV_2D": 0, "DEPTHWISE_CONV_2D": 3, "FULLY_CONNECTED": 0}
# TFLM's FULLY_CONNECTED knows 4-bit weights with one scale alone.
_ONE_SCALE = "FULLY_CONNECTED"
# What rounding to int8 leaves of a 4-bit grid is at most 7 / 254 of a step.
_ON_GRID = 0.03
# Cosine of a layer's kernel and an operator's weights, channel by channel: 8 bits leave more than this.
_ALIKE = 0.98
_LARGEST = {4: 7, 8: 127}


def narrow_weights(flatbuffer: bytes, plan: QuantizationPlan, kernels: Mapping[str, Sequence[NDArray[Any]]]) -> bytes:
    """Give weights the bits and scales of a plan.

    Args:
        flatbuffer: a full-integer .tflite with 8-bit weights.
        plan: its weight_bits and per_channel count here.
        kernels: for each layer that the plan names, its kernels as rows: shape (channels, weights of a channel), in
            TFLite's order; a batch normalization behind it may have scaled the rows.

    Returns:
        The file; the very bytes that came where there is nothing to do.

    Raises:
        ModelError: no operator has the weights of a named layer.
    """
    four_bits = [name for name, bits in plan.weight_bits if bits == 4]
    if not four_bits and plan.per_channel:
        return flatbuffer
    model = unpack(flatbuffer)
    editor = Editor(model)
    weighted = [operator for operator in editor.operators if _rows(editor, operator) is not None]
    narrow = {id(found) for name in four_bits for found in _of_layer(editor, weighted, name, kernels.get(name, ()))}
    done: dict[int, tuple[int, Floats]] = {}
    for operator in weighted:
        several = _scale_count(editor, operator) > 1
        if id(operator) in narrow:
            one_scale = editor.kind(operator) == _ONE_SCALE or not plan.per_channel
            _requantize(editor, operator, 4, one_scale=one_scale, done=done)
        elif several and not plan.per_channel:
            _requantize(editor, operator, 8, one_scale=True, done=done)
    if not done:
        return flatbuffer
    editor.commit()
    remove_unused(model)
    return pack(model)


def _rows(editor: Editor, operator: Any) -> Floats | None:
    """Return an operator's constant int8 weights in real values, one row a channel; None for other operators."""
    axis = _CHANNEL_AXIS.get(editor.kind(operator))
    if axis is None:
        return None
    weights = int(operator.inputs[1])
    stored = editor.constant(weights)
    quantization = editor.tensors[weights].quantization
    if stored is None or stored.dtype != np.int8 or quantization is None or quantization.scale is None:
        return None
    rows = np.moveaxis(stored, axis, 0).reshape(stored.shape[axis], -1).astype(np.float64)
    real: Floats = rows * np.asarray(quantization.scale, np.float64).reshape(-1, 1)
    return real


def _scale_count(editor: Editor, operator: Any) -> int:
    return len(editor.tensors[int(operator.inputs[1])].quantization.scale)


def _of_layer(editor: Editor, weighted: list[Any], name: str, kernels: Sequence[NDArray[Any]]) -> list[Any]:
    """Return the operators that compute with a layer's kernels: names in the file are not to be relied on."""
    found = []
    for kernel in kernels:
        likeness = {id(operator): _likeness(_rows(editor, operator), kernel) for operator in weighted}
        best = max(likeness.values(), default=0.0)
        if best < _ALIKE:
            raise ModelError(
                f"layer {name!r}: the converted model has no operator with its {kernel.size:,} weights, so they cannot "
                "have 4 bits",
                hint="leave this layer at 8 bits",
            )
        closest = next(operator for operator in weighted if likeness[id(operator)] == best)
        found += [operator for operator in weighted if int(operator.inputs[1]) == int(closest.inputs[1])]
    return found


def _likeness(rows: Floats | None, kernel: NDArray[Any]) -> float:
    """Cosine of rows and kernel, mean of the channels; their scales do not count, as batch norm may be in them."""
    if rows is None or rows.shape != kernel.shape:
        return 0.0
    lengths = np.linalg.norm(rows, axis=1) * np.linalg.norm(kernel, axis=1)
    used = lengths > 0
    if not used.any():
        return 1.0
    return float(np.mean(np.abs((rows * kernel).sum(axis=1)[used]) / lengths[used]))


def _requantize(
    editor: Editor, operator: Any, bits: int, *, one_scale: bool, done: dict[int, tuple[int, Floats]]
) -> None:
    """Replace weights and bias of an operator; `done` remembers the weights that several operators share."""
    old = int(operator.inputs[1])
    axis = _CHANNEL_AXIS[editor.kind(operator)]
    if old not in done:
        rows = _rows(editor, operator)
        assert rows is not None
        scale = grid_scales(rows.reshape(1, -1) if one_scale else rows, bits)
        steps = np.clip(np.round(rows / scale), -_LARGEST[bits], _LARGEST[bits]).astype(np.int8)
        shape = editor.shape(old)
        moved = (shape[axis], *shape[:axis], *shape[axis + 1 :])
        done[old] = (_add_weights(editor, old, np.moveaxis(steps.reshape(moved), 0, axis), scale, axis, bits), scale)
    new, scale = done[old]
    if len(operator.inputs) > 2 and int(operator.inputs[2]) >= 0:
        editor.set_input(operator, 2, _rescaled_bias(editor, operator, scale.reshape(-1)))
    editor.set_input(operator, 1, new)


def grid_scales(rows: Floats, bits: int) -> Floats:
    """Return the step of each row's grid.

    Args:
        rows: real weights, shape (rows, weights of a row), rounded to int8 before.
        bits: 4 or 8.

    Returns:
        Steps, shape (rows, 1): that of the grid of `bits` on which the row lies where there is one, else its largest
        weight over the largest integer; 1 for a row of zeros.

    Example:
        >>> grid_scales(np.array([[0.5, -1.0, 2.5], [0.3, 0.0, 0.0]]), 4).round(6).tolist()
        [[0.5], [0.3]]
    """
    largest = np.abs(rows).max(axis=1, keepdims=True)
    scale = np.where(largest > 0, largest / _LARGEST[bits], 1.0)
    if bits == 8:
        return scale
    open_rows = largest > 0
    for most in range(1, _LARGEST[bits] + 1):
        step = np.where(largest > 0, largest / most, 1.0)
        off = np.abs(rows / step - np.round(rows / step)).max(axis=1, keepdims=True)
        fits = open_rows & (off < _ON_GRID)
        scale = np.where(fits, step, scale)
        open_rows &= ~fits
    return scale


def _add_weights(editor: Editor, old: int, steps: NDArray[np.int8], scale: Floats, axis: int, bits: int) -> int:
    data = steps if bits == 8 else packed(steps)
    new = editor.add_tensor(editor.name(old), steps.shape, {8: "INT8", 4: "INT4"}[bits], data=data)
    editor.tensors[new].quantization = _quantization(scale.reshape(-1), axis)
    return new


def packed(steps: NDArray[np.int8]) -> NDArray[np.uint8]:
    """Return 4-bit integers two a byte, the first in the low half.

    Example:
        >>> packed(np.array([1, -1, 7], np.int8)).tolist()
        [241, 7]
    """
    flat = np.append(steps.reshape(-1), np.zeros(steps.size % 2, np.int8)).view(np.uint8) & 15
    return (flat[::2] | (flat[1::2] << 4)).astype(np.uint8)


def _rescaled_bias(editor: Editor, operator: Any, scale: Floats) -> int:
    """Add the bias at its new scale, which is that of input times weights; other operators may share the old one."""
    old = int(operator.inputs[2])
    stored, source = editor.constant(old), editor.scale(int(operator.inputs[0]))
    weights = editor.tensors[int(operator.inputs[1])].quantization
    assert stored is not None and source is not None
    before, after = source[0] * np.asarray(weights.scale, np.float64), source[0] * scale
    limit = np.iinfo(stored.dtype)
    steps = np.clip(np.round(stored * before / after), limit.min, limit.max).astype(stored.dtype)
    dtype = {"int32": "INT32", "int64": "INT64"}[stored.dtype.name]
    new = editor.add_tensor(editor.name(old), steps.shape, dtype, data=steps)
    editor.tensors[new].quantization = _quantization(after, 0)
    return new


def _quantization(scale: Floats, axis: int) -> Any:
    made = schema.QuantizationParametersT()
    made.scale, made.zeroPoint = scale.astype(np.float32), np.zeros(len(scale), np.int64)
    made.quantizedDimension = axis if len(scale) > 1 else 0
    return made
