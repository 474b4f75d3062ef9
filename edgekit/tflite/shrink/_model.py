"""What the passes share: a read-only view of the object tree, and how a constant is replaced in it."""

from __future__ import annotations

from typing import Any

import numpy as np
from ai_edge_litert import schema_py_generated as schema
from numpy.typing import NDArray

from edgekit.tflite import flatbuffer, graph
from edgekit.tflite.graph import Graph, Op


def view(model: Any) -> Graph:
    """Return the model as a graph; operators and tensors have the same numbers in both."""
    return graph.parse(flatbuffer.pack(model))


def set_constant(model: Any, tensor: int, values: NDArray[Any]) -> None:
    """Give a constant other values, and their shape; other tensors keep the buffer that they shared with it."""
    changed = model.subgraphs[0].tensors[tensor]
    changed.buffer = len(model.buffers)
    set_shape(model, tensor, values.shape)
    buffer = schema.BufferT()
    buffer.data = np.frombuffer(np.ascontiguousarray(values).tobytes(), np.uint8)
    model.buffers.append(buffer)


def set_shape(model: Any, tensor: int, shape: tuple[int, ...]) -> None:
    """Give a tensor another shape; what the file says of unknown sizes is kept where the rank is."""
    changed = model.subgraphs[0].tensors[tensor]
    signature = changed.shapeSignature
    if signature is not None:
        unknown = [int(size) == -1 for size in signature]
        same_rank = len(unknown) == len(shape)
        signature = [-1 if hidden else size for hidden, size in zip(unknown, shape, strict=True)] if same_rank else None
    changed.shape = np.asarray(shape, np.int32)
    changed.shapeSignature = None if signature is None else np.asarray(signature, np.int32)


def copy_constant(model: Any, tensor: int, values: NDArray[Any]) -> int:
    """Add a constant like another one, with other values; return its number."""
    made = schema.TensorT()
    tensors = model.subgraphs[0].tensors
    vars(made).update(vars(tensors[tensor]))
    tensors.append(made)
    set_constant(model, len(tensors) - 1, values)
    return len(tensors) - 1


def readers(graph: Graph) -> dict[int, list[Op]]:
    """Return tensor -> the operators that read it, each once."""
    found: dict[int, list[Op]] = {}
    for op in graph.ops:
        for index in dict.fromkeys(op.inputs):
            found.setdefault(index, []).append(op)
    return found
