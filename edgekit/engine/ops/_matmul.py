"""Products of two matrices that may both be computed. Twins: firmware/engine/matmul_s8.h, matmul_s16.h."""

from __future__ import annotations

from dataclasses import dataclass
from math import prod
from typing import Any

from edgekit.engine.lowered import row_shape
from edgekit.tflite.graph import Tensor

# Dimensions in front of the matrices; TFLM takes as many.
BATCHES = 3


@dataclass(frozen=True, slots=True)
class Operand:
    """One factor.

    Attributes:
        shape: of the tensor; the last two dimensions are the matrix.
        is_transposed: whether the matrix stands with its columns as rows.
    """

    shape: tuple[int, ...]
    is_transposed: bool

    @property
    def matrix(self) -> tuple[int, int]:
        """(rows, columns) as the product sees it."""
        rows, columns = self.shape[-2:]
        return (columns, rows) if self.is_transposed else (rows, columns)

    @property
    def strides(self) -> tuple[int, int]:
        """Elements to the next row, to the next column."""
        return (1, self.shape[-1]) if self.is_transposed else (self.shape[-1], 1)

    @property
    def batches(self) -> tuple[int, ...]:
        """Sizes of the dimensions in front, padded to BATCHES."""
        return (1,) * (BATCHES - len(self.shape[:-2])) + self.shape[:-2]

    @property
    def batch_strides(self) -> tuple[int, ...]:
        """Elements to the next matrix along each of them; 0 where there is only one."""
        after = [prod(self.batches[axis + 1 :]) * prod(self.shape[-2:]) for axis in range(BATCHES)]
        return tuple(stride if size > 1 else 0 for stride, size in zip(after, self.batches, strict=True))


def product_shape(left: Operand, right: Operand) -> tuple[int, ...] | None:
    """Return (batches, rows, columns) of a product; None where the two do not fit."""
    pairs = tuple(zip(left.batches, right.batches, strict=True))
    if left.matrix[1] != right.matrix[0] or any(a != b and 1 not in (a, b) for a, b in pairs):
        return None
    return (*(max(pair) for pair in pairs), left.matrix[0], right.matrix[1])


def shape_fields(left: Operand, right: Operand, output: Tensor) -> dict[str, Any]:
    """Return the fields of `ek_matmul_shape` for operands that fit."""
    shape = product_shape(left, right)
    assert shape is not None
    *batches, rows, columns = shape
    return {
        "vectors": row_shape(output)[1] // columns,
        "rows": rows,
        "columns": columns,
        "depth": left.matrix[1],
        "left_row": left.strides[0],
        "left_depth": left.strides[1],
        "right_column": right.strides[1],
        "right_depth": right.strides[0],
        "batches": tuple(batches),
        "left_batch": left.batch_strides,
        "right_batch": right.batch_strides,
    }
