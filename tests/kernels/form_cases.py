"""Layers whose weights some form of storage can hold: those of `layer_cases`, with fewer or coarser weights."""

from __future__ import annotations

import dataclasses

import numpy as np
from ai_edge_litert import schema_py_generated as schema
from layer_cases import LayerCase, layer_case
from numpy.typing import NDArray

from edgekit.tflite import flatbuffer

_WEIGHTED = (
    schema.BuiltinOperator.CONV_2D,
    schema.BuiltinOperator.DEPTHWISE_CONV_2D,
    schema.BuiltinOperator.FULLY_CONNECTED,
)
_BLOCKS = ((1, 4), (1, 8), (4, 1), (4, 2), (4, 4), (8, 1))
_WAYS = ("int4", "clustered", "single", "single", "blocks", "blocks", "empty", "2:4")


def form_case(seed: int) -> LayerCase:
    """Return a layer; one seed after another goes round the operators that have weights."""
    kind = ("conv_2d", "fully_connected", "conv_2d", "depthwise_conv_2d")[seed % 4]
    case = next(case for place in range(1000) if (case := layer_case(seed * 1000 + place)).name.startswith(kind))
    rng = np.random.default_rng([seed, 21])
    model = flatbuffer.unpack(case.flatbuffer)
    (graph,) = model.subgraphs
    codes = model.operatorCodes
    for operator in graph.operators:
        code = codes[operator.opcodeIndex].builtinCode
        weights = graph.tensors[operator.inputs[1]]
        buffer = model.buffers[weights.buffer]
        if code not in _WEIGHTED or weights.type != schema.TensorType.INT8 or buffer.data is None:
            continue
        channels = weights.shape[3 if code == schema.BuiltinOperator.DEPTHWISE_CONV_2D else 0]
        data = np.array(buffer.data, np.uint8).view(np.int8).copy()
        rows = data.reshape(channels, -1) if code != _WEIGHTED[1] else data.reshape(-1, channels).T
        way = str(rng.choice(_WAYS))
        rows[...] = coarser(rows.copy(), way, rng)
        buffer.data = data.view(np.uint8)
        return dataclasses.replace(case, name=f"{case.name}, weights {way}", flatbuffer=flatbuffer.pack(model))
    return case


def coarser(rows: NDArray[np.int8], way: str, rng: np.random.Generator, zeros: float | None = None) -> NDArray[np.int8]:
    """Weights of shape (channels, depth), none of which is larger than it was.

    Args:
        rows: the weights as they were.
        way: "int4", "clustered", "single" or "blocks" of zeros, "empty", "2:4" of each four depths, the same for four
            channels, "2:4x8" for eight.
        rng: what is random about it.
        zeros: share of the weights or blocks that become zeros; None: any.
    """
    if way == "int4":
        return (rows.astype(int) / 16).astype(np.int8)
    if way == "clustered":
        step = int(rng.integers(18, 26))
        return (np.sign(rows) * (np.abs(rows.astype(int)) // step * step)).astype(np.int8)
    if way.startswith("2:4"):
        sharing = 8 if way == "2:4x8" else 4
        groups = -(-rows.shape[0] // sharing), -(-rows.shape[1] // 4)
        kept = (rng.random((*groups, 4)).argsort(axis=2) < 2).reshape(groups[0], -1).repeat(sharing, axis=0)
        return rows * kept[: rows.shape[0], : rows.shape[1]]
    share = 1.0 if way == "empty" else rng.uniform(0.3, 1) if zeros is None else zeros
    high, deep = (1, 1) if way != "blocks" else _BLOCKS[int(rng.integers(len(_BLOCKS)))]
    grid = rng.random((-(-rows.shape[0] // high), -(-rows.shape[1] // deep))) >= share
    return rows * np.kron(grid, np.ones((high, deep), np.int8))[: rows.shape[0], : rows.shape[1]]
