"""The arena that TensorFlow Lite Micro takes on a 32-bit core, from what its host interpreter recorded.

Head (tensors and scratch) is the same on both. The tail holds structures, whose pointers are half as wide on the
device: each kind is counted anew with its 32-bit size.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from edgekit.tflite.graph import Graph

# sizeof on a 32-bit core, from TFLM's headers (common.h, micro_graph.h).
_EVAL_TENSOR_BYTES = 12
_NODE_BYTES = 32
# Interpreter, allocators, planner, the tensors of inputs and outputs: what was measured beside all else, rounded up.
_FIXED_BYTES = 272
# The kernels' own structures lose this much of their 64-bit size; what is not here is counted in full.
_KERNEL_SAVING_BYTES = {"FULLY_CONNECTED": 24, "CONV_2D": 16, "DEPTHWISE_CONV_2D": 16, "TRANSPOSE_CONV": 16}
# sizeof of the parsed options (builtin_op_data.h), with enums of four bytes, and with enums of one.
_OPTION_BYTES = {
    "CONV_2D": (28, 28),
    "DEPTHWISE_CONV_2D": (28, 28),
    "FULLY_CONNECTED": (16, 5),
    "AVERAGE_POOL_2D": (40, 40),
    "MAX_POOL_2D": (40, 40),
    "ADD": (8, 2),
    "SUB": (8, 2),
    "MUL": (4, 1),
    "SOFTMAX": (4, 4),
    "RESHAPE": (36, 36),
    "MEAN": (1, 1),
    "SUM": (1, 1),
    "CONCATENATION": (8, 8),
}
_LARGEST_OPTION_BYTES = 40


@dataclass(frozen=True, slots=True)
class TflmAllocations:
    """What TFLM's recording allocator says after a run on the host.

    Attributes:
        total_bytes: head and tail, with the host's 64-bit pointers.
        head_bytes: tensors and scratch.
        tensors: tensors with an evaluation structure.
        nodes: operators.
        kernel_bytes: asked for by kernels for what they keep, without alignment.
    """

    total_bytes: int
    head_bytes: int
    tensors: int
    nodes: int
    kernel_bytes: int

    @classmethod
    def from_json(cls, fields: dict[str, Any] | None) -> TflmAllocations | None:
        """Read what the interpreter's child says; None where it says nothing."""
        return None if fields is None else cls(**fields)


def arena_bytes_32(graph: Graph, allocations: TflmAllocations, *, short_enums: bool) -> int:
    """Return the arena that TFLM's reference kernels need on a 32-bit core: an estimate from above.

    Args:
        graph: the model.
        allocations: what the host recorded for it.
        short_enums: True for Arm's embedded ABI, where an enum takes one byte; False for RISC-V and Xtensa.

    Returns:
        Bytes, at most a few per cent above what the core takes.

    Example:
        >>> from pathlib import Path
        >>> from edgekit.tflite.graph import read
        >>> recorded = TflmAllocations(total_bytes=2576, head_bytes=1024, tensors=14, nodes=6, kernel_bytes=900)
        >>> model = Path("models/digits/model.tflite")
        >>> not model.is_file() or arena_bytes_32(read(model), recorded, short_enums=True) > 1024
        True

    Source:
        TensorFlow Lite Micro: micro_allocator.cc, micro_graph.h, builtin_op_data.h; fixed and kernel parts fitted to
        arenas measured on Cortex-M4, RISC-V and Xtensa cores.
    """
    kinds = [op.kind for op in graph.ops]
    options = sum(_OPTION_BYTES.get(kind, (_LARGEST_OPTION_BYTES,) * 2)[short_enums] for kind in kinds)
    kernels = allocations.kernel_bytes - sum(_KERNEL_SAVING_BYTES.get(kind, 0) for kind in kinds)
    structures = _EVAL_TENSOR_BYTES * allocations.tensors + _NODE_BYTES * allocations.nodes
    return allocations.head_bytes + structures + options + kernels + _FIXED_BYTES
