"""Tensors and their buffers: types, shapes, sizes of the data, quantisation."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edgekit.tflite.guard.refusal import quoted, refusal

_LIMIT_RANK = 8
_LIMIT_ELEMENTS = 2**31
_LIMIT_BYTES = 2**31
# Bits of an element, and the NumPy type that holds it where there is one.
_BITS = {
    "float32": 32, "float16": 16, "int32": 32, "uint8": 8, "int64": 64, "bool": 8, "int16": 16, "complex64": 64,
    "int8": 8, "float64": 64, "complex128": 128, "uint64": 64, "uint32": 32, "uint16": 16, "int4": 4, "bfloat16": 16,
    "int2": 2, "uint4": 4,
}  # fmt: skip
# What a quantized value may be, by the type that stores it; int32 is a bias.
_STORED = {
    "int8": (-128, 127), "uint8": (0, 255), "int16": (-32768, 32767), "int4": (-8, 7), "int2": (-2, 1),
    "uint4": (0, 15), "int32": (-(2**31), 2**31 - 1), "int64": (-(2**63), 2**63 - 1), "uint16": (0, 65535),
}  # fmt: skip
# What the interpreters know how to take and to give; the largest result of one operator that is run.
_RUN = {"float32", "float16", "float64", "int8", "uint8", "int16", "int32", "uint32", "int64", "bool"}
_LIMIT_RUN_BYTES = 1 << 28
# Any real number: what is said of it has no effect on the values.
_REAL = {"float32", "float16", "bfloat16", "float64"}


@dataclass(frozen=True, slots=True, eq=False)
class Operand:
    """One tensor, checked.

    Attributes:
        index: position in the subgraph.
        name: as printed: escaped and cut.
        shape: sizes of the dimensions, each at least 1.
        dtype: the schema's type in lower case.
        data: the bytes of a constant; None for others.
        scales, zero_points: of the quantisation; empty where there is none.
        axis: dimension that `scales` run along, where there are several.
        is_variable: a state that operators keep from one inference to the next.
        is_open: the file leaves a size to be chosen; `shape` has 1 there.
        shares_zero_point: the file has one zero point for several scales; `zero_points` has it for each.
    """

    index: int
    name: str
    shape: tuple[int, ...]
    dtype: str
    data: NDArray[np.uint8] | None
    scales: NDArray[np.float32]
    zero_points: NDArray[np.int64]
    axis: int
    is_variable: bool
    is_open: bool
    shares_zero_point: bool = False

    @property
    def where(self) -> str:
        """How an error names the tensor."""
        return f"tensor {self.index} ({self.name})"

    @property
    def elements(self) -> int:
        """Number of elements."""
        count = 1
        for size in self.shape:
            count *= size
        return count

    def values(self) -> NDArray[Any] | None:
        """The values of a constant of a NumPy type, flat; None for anything else."""
        if self.data is None or self.dtype not in _BITS or _BITS[self.dtype] < 8 or self.dtype == "bfloat16":
            return None
        return self.data.view(self.dtype)


@cache
def _type_names() -> dict[int, str]:
    from ai_edge_litert import schema_py_generated as schema

    return {number: name.lower() for name, number in vars(schema.TensorType).items() if isinstance(number, int)}


def checked(index: int, raw: Any, buffers: list[Any]) -> Operand:
    """Check one tensor and return what the operators' rules look at.

    Args:
        index: position in the subgraph.
        raw: the TensorT.
        buffers: the model's BufferT.

    Raises:
        ModelError: names the tensor and the field.
    """
    name = quoted(raw.name)
    where = f"tensor {index} ({name})"
    dtype = _type_names().get(raw.type)
    if dtype is None:
        raise refusal(where, "type", f"is {raw.type}, which the schema does not know")
    shape = _shape(raw, where)
    if raw.sparsity is not None:
        raise refusal(
            where,
            "sparsity",
            "is set: sparse storage runs on none of the engines",
            hint="convert without tf.lite.Optimize.EXPERIMENTAL_SPARSITY",
        )
    if raw.variantTensors or raw.externalBuffer:
        raise refusal(where, "externalBuffer or variantTensors", "is set, expected the data in the file itself")
    scales, zero_points, axis = _quantization(raw.quantization, shape, dtype, where)
    data = _data(raw, buffers, dtype, shape, where)
    is_open = raw.shapeSignature is not None and -1 in list(raw.shapeSignature)
    points = raw.quantization.zeroPoint if raw.quantization is not None else None
    shares = points is not None and len(points) < len(zero_points)
    return Operand(index, name, shape, dtype, data, scales, zero_points, axis, bool(raw.isVariable), is_open, shares)


def _shape(raw: Any, where: str) -> tuple[int, ...]:
    shape = tuple(int(size) for size in (raw.shape if raw.shape is not None else ()))
    elements = 1
    for size in shape:
        elements *= size
    if len(shape) > _LIMIT_RANK:
        raise refusal(where, "shape", f"has {len(shape)} dimensions, expected {_LIMIT_RANK} at most")
    # No elements: stands for an intermediate that a fused LSTM does not have. `wiring` lets nothing else use it.
    if (any(size < 1 for size in shape) and shape != (0,)) or elements >= _LIMIT_ELEMENTS:
        raise refusal(
            where,
            "shape",
            f"{list(shape)} has a size below 1 or 2^31 elements and more",
            hint="convert with a fixed batch of 1 and fixed input sizes",
        )
    signature = raw.shapeSignature
    if signature is not None and len(signature) not in (0, len(shape)):
        raise refusal(where, "shapeSignature", f"has {len(signature)} dimensions, shape has {len(shape)}")
    if signature is not None and any(
        said not in (-1, size) for said, size in zip(signature.tolist() if len(signature) else [], shape, strict=False)
    ):
        raise refusal(where, "shapeSignature", f"{signature.tolist()} contradicts shape {list(shape)}")
    return shape


def _quantization(
    raw: Any, shape: tuple[int, ...], dtype: str, where: str
) -> tuple[NDArray[np.float32], NDArray[np.int64], int]:
    none = np.zeros(0, np.float32), np.zeros(0, np.int64), 0
    if raw is None:
        return none
    if raw.details is not None:
        raise refusal(
            where,
            "quantization.details",
            f"is {type(raw.details).__name__.removesuffix('T')}: block-wise and custom quantisation run on none of "
            "the engines",
            hint="convert to int8 with one scale a tensor or a channel",
        )
    scales = np.asarray(raw.scale if raw.scale is not None else (), np.float32)
    zero_points = np.asarray(raw.zeroPoint if raw.zeroPoint is not None else (), np.int64)
    if len(scales) == 0:
        if len(zero_points):
            raise refusal(where, "quantization.zeroPoint", f"has {len(zero_points)} entries, scale has none")
        return none
    if not np.all(np.isfinite(scales) & (scales > 0)):
        bad = scales[~(np.isfinite(scales) & (scales > 0))][0]
        raise refusal(where, "quantization.scale", f"is {bad}, expected finite numbers above 0")
    if len(zero_points) == 1:
        zero_points = np.repeat(zero_points, len(scales))
    if len(zero_points) != len(scales):
        raise refusal(
            where, "quantization.zeroPoint", f"has {len(zero_points)} entries, scale has {len(scales)}: one each"
        )
    axis = _axis(int(raw.quantizedDimension), len(scales), shape, where)
    if dtype in _STORED:
        low, high = _STORED[dtype]
        if zero_points.min() < low or zero_points.max() > high:
            bad_point = zero_points[(zero_points < low) | (zero_points > high)][0]
            raise refusal(where, "quantization.zeroPoint", f"is {bad_point}, expected {low}..{high} for {dtype}")
    elif dtype not in _REAL:
        return none
    return scales, zero_points, axis


def _axis(axis: int, count: int, shape: tuple[int, ...], where: str) -> int:
    if count == 1:
        if not 0 <= axis < max(1, len(shape)):
            raise refusal(where, "quantization.quantizedDimension", f"is {axis}, the shape is {list(shape)}")
        return axis
    if not 0 <= axis < len(shape) or count != shape[axis]:
        raise refusal(
            where,
            "quantization.quantizedDimension",
            f"is {axis} with {count} scales, the shape is {list(shape)}: expected one scale an index",
        )
    return axis


def _data(raw: Any, buffers: list[Any], dtype: str, shape: tuple[int, ...], where: str) -> NDArray[np.uint8] | None:
    if not 0 <= raw.buffer < len(buffers):
        raise refusal(where, "buffer", f"is {raw.buffer}, the file has {len(buffers)}")
    content = buffers[raw.buffer].data
    bits = _BITS.get(dtype)
    elements = 1
    for size in shape:
        elements *= size
    expected = -(-elements * (bits or 0) // 8)
    if expected >= _LIMIT_BYTES:
        raise refusal(where, "shape", f"{list(shape)} of {dtype} takes {expected:,} bytes, expected less than 2 GiB")
    if content is None or len(content) == 0:
        return None
    if raw.isVariable:
        raise refusal(where, "isVariable", "is set for a tensor with data: a state begins at its zero point")
    stored = np.asarray(content, np.uint8)
    if bits is not None and len(stored) != expected:
        raise refusal(
            where, "buffer", f"has {len(stored):,} bytes of data, expected {expected:,} for {dtype} {list(shape)}"
        )
    return stored


def check_runs(operand: Operand) -> None:
    """Refuse tensors that interpreters crash on, or that no machine has room for.

    Raises:
        ModelError: names the tensor and the field.
    """
    allowed = _RUN if operand.data is None else {*_RUN, "int4"}
    if operand.dtype not in allowed:
        raise refusal(operand.where, "type", f"is {operand.dtype}, expected one of {', '.join(sorted(allowed))}")
    if operand.data is None and operand.elements * _BITS[operand.dtype] // 8 > _LIMIT_RUN_BYTES:
        raise refusal(
            operand.where,
            "shape",
            f"{list(operand.shape)} of {operand.dtype} takes more than {_LIMIT_RUN_BYTES:,} bytes",
            hint="give the model smaller inputs",
        )


def check_zero_points(operand: Operand, runner: str) -> None:
    """Refuse one zero point for several scales, which TensorFlow Lite Micro alone takes for all of them.

    Raises:
        ModelError: names the tensor and the field.
    """
    if operand.shares_zero_point and runner not in ("", "tflm"):
        field, scales = "quantization.zeroPoint", len(operand.scales)
        raise refusal(operand.where, field, f"has 1 entry, scale has {scales}: only TensorFlow Lite Micro takes that")


def check_buffers(buffers: list[Any]) -> None:
    """Check the buffers: the first is empty, none lies outside the flatbuffer.

    Raises:
        ModelError: names the buffer and the field.
    """
    for index, buffer in enumerate(buffers):
        if (buffer.offset or 0) > 1 or (buffer.size or 0) > 1:
            raise refusal(
                f"buffer {index}",
                "offset",
                f"is {buffer.offset:,} (size {buffer.size:,}): no engine reads data beside the flatbuffer",
                hint="convert without _experimental_use_buffer_offset",
            )
    if not buffers:
        raise refusal("the model", "buffers", "is empty, expected at least one")
    first = buffers[0].data
    if first is not None and len(first):
        raise refusal("buffer 0", "data", f"has {len(first):,} bytes, expected none: it stands for 'no data'")
