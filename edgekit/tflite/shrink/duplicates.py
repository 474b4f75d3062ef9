"""Equal buffers become one buffer, equal constants one tensor."""

from __future__ import annotations

import hashlib
from typing import Any

import numpy as np


def apply(model: Any) -> int:
    """Merge duplicates.

    Args:
        model: a `schema.ModelT`, changed in place.

    Returns:
        How many buffers and tensors were pointed at an equal one.
    """
    return _merge_buffers(model) + sum(_merge_constants(model, subgraph) for subgraph in model.subgraphs or ())


def _merge_buffers(model: Any) -> int:
    first: dict[bytes, int] = {}
    instead: dict[int, int] = {}
    for index, buffer in enumerate(model.buffers):
        if buffer.data is not None and len(buffer.data):
            content = np.ascontiguousarray(buffer.data).data
            digest = hashlib.blake2b(content, digest_size=32).digest()
            kept = first.setdefault(digest, index)
            if kept != index:
                instead[index] = kept
    tensors = [tensor for subgraph in model.subgraphs or () for tensor in subgraph.tensors]
    changed = 0
    for owner in (*tensors, *(model.metadata or ())):
        if owner.buffer in instead:
            owner.buffer = instead[owner.buffer]
            changed += 1
    return changed


def _merge_constants(model: Any, subgraph: Any) -> int:
    ends = {int(index) for index in (*subgraph.inputs, *subgraph.outputs)}
    first: dict[tuple[Any, ...], int] = {}
    instead: dict[int, int] = {}
    for index, tensor in enumerate(subgraph.tensors):
        data = model.buffers[tensor.buffer].data
        if data is None or len(data) == 0 or tensor.isVariable or index in ends:
            continue
        key = (tensor.buffer, tensor.type, _vector(tensor.shape), *_quantization(tensor.quantization))
        kept = first.setdefault(key, index)
        # Blockwise scales and sparse forms lie in tables of their own: not looked into, not merged.
        if kept != index and tensor.sparsity is None and _is_plain(tensor.quantization):
            instead[index] = kept
    for operator in subgraph.operators:
        operator.inputs = np.asarray([instead.get(int(index), int(index)) for index in operator.inputs], np.int32)
    return len(instead)


def _is_plain(quantization: Any) -> bool:
    return quantization is None or quantization.details is None


def _quantization(quantization: Any) -> tuple[Any, ...]:
    if quantization is None:
        return ()
    names = (quantization.scale, quantization.zeroPoint)
    return (*(_vector(values) for values in names), int(quantization.quantizedDimension))


def _vector(values: Any) -> tuple[float, ...] | None:
    return None if values is None else tuple(np.asarray(values).reshape(-1).tolist())
