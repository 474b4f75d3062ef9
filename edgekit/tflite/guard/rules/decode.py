"""TensorFlow Lite Micro's operator that makes weights from two constants of bytes; it checks none of them."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from edgekit.tflite.decode import KIND, forms
from edgekit.tflite.guard.operators import Operator
from edgekit.tflite.guard.tensors import Operand

_ITEM_BYTES = {"int8": 1, "bool": 1, "int16": 2, "int32": 4, "float32": 4, "int64": 8}


def _decode(op: Operator) -> None:
    op.require(
        op.runner in ("", "tflm"), "builtinCode", "is TensorFlow Lite Micro's DECODE, which no other interpreter has"
    )
    op.count(2 * len(op.outputs), (1, len(op.outputs)))
    for position, output in enumerate(op.outputs):
        codes, ancillary = _bytes(op, 2 * position), _bytes(op, 2 * position + 1)
        _check_output(op, output)
        table = op.input(2 * position + 1).where
        op.require(len(ancillary) >= forms.HEADER_BYTES, "buffer", f"of {table} has no header of 16 bytes")
        versions = {int(ancillary[forms.VERSION]), int(ancillary[forms.FORM_VERSION])}
        op.require(versions == {1}, "buffer", f"of {table} says versions {sorted(versions)}, expected 1")
        match int(ancillary[forms.FORM]):
            case forms.Form.PRUNED:
                _check_pruned(op, output, codes, ancillary)
            case forms.Form.LOOK_UP:
                _check_look_up(op, output, codes, ancillary)
            case other:
                op.refuse("buffer", f"of {table} asks for form {other}, expected 0 (look-up) or 2 (pruned)")


def _bytes(op: Operator, position: int) -> NDArray[np.uint8]:
    operand = op.input(position)
    op.one_of(operand, "uint8", "int8")
    if operand.data is None:
        op.refuse("inputs", f"take {operand.where} from another operator, expected a constant")
    return operand.data


def _check_output(op: Operator, output: Operand) -> None:
    op.one_of(output, *_ITEM_BYTES)
    scales = len(output.scales)
    axes = (0, len(output.shape) - 1) if scales > 1 else (0,)
    op.require(
        output.axis in axes or not scales,
        "quantization.quantizedDimension",
        f"is {output.axis}, expected one of {axes}",
    )
    points = np.unique(output.zero_points)
    op.require(
        len(points) < 2 and (output.dtype == "int8" or not points.any()),
        "quantization.zeroPoint",
        f"of {output.where} is {points.tolist()[:4]}, expected one for all channels, 0 unless the type is int8",
    )


def _values(output: Operand, ancillary: NDArray[np.uint8]) -> int:
    """How many values stand behind the header."""
    return (len(ancillary) - forms.HEADER_BYTES) // _ITEM_BYTES[output.dtype]


def _check_pruned(op: Operator, output: Operand, codes: NDArray[np.uint8], ancillary: NDArray[np.uint8]) -> None:
    _require_bytes(op, codes, -(-output.elements // 8), "a bit an element")
    kept = int(np.unpackbits(codes, count=output.elements).sum())
    stored = _values(output, ancillary)
    op.require(kept <= stored, "inputs", f"mark {kept:,} values, {stored:,} are stored")


def _check_look_up(op: Operator, output: Operand, codes: NDArray[np.uint8], ancillary: NDArray[np.uint8]) -> None:
    bits, length = int(ancillary[forms.BITS]) & 7, int(ancillary[forms.TABLE_LENGTH])
    op.require(
        1 <= bits <= forms.MOST_BITS and 1 <= length <= forms.MOST_TABLE_LENGTH,
        "inputs",
        f"give indices of {bits} bits into tables of {length} values, expected 1..7 and 1..128",
    )
    _require_bytes(op, codes, -(-output.elements * bits // 8), f"{bits} bits an element")
    channels, stored = max(1, len(output.scales)), _values(output, ancillary)
    op.require(channels * length <= stored, "inputs", f"need {channels * length:,} values, {stored:,} are stored")
    largest = int(forms.unpacked(codes, bits, output.elements).max()) if length < 2**bits else 0
    op.require(largest < length, "inputs", f"have an index {largest} into tables of {length} values")


def _require_bytes(op: Operator, codes: NDArray[np.uint8], expected: int, said: str) -> None:
    op.require(len(codes) == expected, "inputs", f"have {len(codes):,} bytes, expected {expected:,}: {said}")


RULES = {KIND: _decode}
