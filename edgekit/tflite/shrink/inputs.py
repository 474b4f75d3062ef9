"""Seeded inputs that reach the corners of a model: the extremes, real zero, then random codes."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from edgekit.tflite.decode.expand import with_weights
from edgekit.tflite.graph import Graph, Tensor

_SEED = 4


def random_inputs(graph: Graph, count: int) -> tuple[bytes, ...]:
    """Return inputs for `count` inferences.

    The first three hold the lowest code, the highest code and the zero point everywhere. Indices (int32 and int64
    inputs) stay inside of the smallest table that the model looks them up in.

    Args:
        graph: the model; its input tensors say shape and type.
        count: how many.

    Returns:
        Per inference the bytes of all inputs; the same every time.
    """
    random = np.random.default_rng(_SEED)
    rows = _smallest_table(with_weights(graph))
    samples = []
    for index in range(count):
        samples.append(b"".join(_values(graph.tensors[tensor], index, rows, random) for tensor in graph.inputs))
    return tuple(samples)


def _smallest_table(graph: Graph) -> int:
    """Rows of the smallest table that a GATHER or an embedding look-up reads; 128 where there is none."""
    places = {"GATHER": 0, "EMBEDDING_LOOKUP": 1}
    tables = [graph.tensors[op.inputs[places[op.kind]]] for op in graph.ops if op.kind in places]
    return min((table.shape[0] for table in tables if table.data is not None and table.shape), default=128)


def _values(tensor: Tensor, index: int, rows: int, random: np.random.Generator) -> bytes:
    if tensor.dtype.startswith("float"):
        return random.standard_normal(tensor.elements).astype(tensor.dtype).tobytes()
    if tensor.dtype == "bool":
        return random.integers(0, 2, tensor.elements).astype(np.bool_).tobytes()
    if tensor.dtype in ("int32", "int64"):
        return random.integers(0, rows, tensor.elements).astype(tensor.dtype).tobytes()
    limits = np.iinfo(tensor.dtype)
    zero = tensor.quant.zero_point[0] if tensor.quant is not None else 0
    if index < 3:
        corner: NDArray[np.generic] = np.full(tensor.elements, (limits.min, limits.max, zero)[index], tensor.dtype)
        return corner.tobytes()
    return random.integers(limits.min, limits.max + 1, tensor.elements).astype(tensor.dtype).tobytes()
