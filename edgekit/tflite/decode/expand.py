"""The weights that DECODE would make, as constants: for engines without that operator."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edgekit.tflite.decode import KIND, OPERATOR
from edgekit.tflite.decode.forms import decoded
from edgekit.tflite.graph import Graph, parse


def folded(graph: Graph) -> Graph:
    """Return a graph without DECODE, its outputs constants; tensors keep their numbers, the model its identity.

    Args:
        graph: a model; one without DECODE comes back as it is.
    """
    kept = [op for op in graph.ops if op.kind != KIND]
    if len(kept) == len(graph.ops):
        return graph
    ops = tuple(dataclasses.replace(op, index=index) for index, op in enumerate(kept))
    return dataclasses.replace(with_weights(graph), ops=ops)


def with_weights(graph: Graph) -> Graph:
    """Return a graph in which what DECODE writes are constants; the operators stay."""
    weights = _weights(graph)
    tensors = (dataclasses.replace(each, data=weights.get(each.index, each.data)) for each in graph.tensors)
    return dataclasses.replace(graph, tensors=tuple(tensors)) if weights else graph


def expanded(flatbuffer: bytes) -> bytes:
    """Return a model that computes the same without DECODE; the very bytes that came where there is none.

    Args:
        flatbuffer: a .tflite that `graph.parse` takes.

    Raises:
        ModelError: the model is damaged.
    """
    if OPERATOR.encode() not in flatbuffer:
        return flatbuffer
    weights = _weights(parse(flatbuffer))
    if not weights:
        return flatbuffer
    from edgekit.tflite.flatbuffer import pack, remove_unused, unpack
    from edgekit.tflite.shrink._model import set_constant

    model: Any = unpack(flatbuffer)
    subgraph = model.subgraphs[0]
    for tensor, values in weights.items():
        set_constant(model, tensor, values)
    for described in subgraph.tensors:
        quantization = described.quantization
        if quantization is not None and quantization.zeroPoint is not None and len(quantization.zeroPoint) == 1:
            quantization.zeroPoint = np.repeat(quantization.zeroPoint, len(quantization.scale))
    subgraph.operators = [operator for operator in subgraph.operators if int(operator.outputs[0]) not in weights]
    remove_unused(model)
    return pack(model)


def _weights(graph: Graph) -> dict[int, NDArray[Any]]:
    """What DECODE writes, by tensor."""
    made: dict[int, NDArray[Any]] = {}
    for op in graph.ops:
        if op.kind != KIND:
            continue
        for position, index in enumerate(op.outputs):
            codes, ancillary = (graph.tensors[op.inputs[2 * position + place]].data for place in (0, 1))
            output = graph.tensors[index]
            assert codes is not None and ancillary is not None
            values = decoded(
                codes,
                ancillary,
                shape=output.shape,
                dtype=output.dtype,
                zero_point=output.quant.zero_point[0] if output.quant is not None else 0,
                axis=output.quant.axis if output.quant is not None else None,
            )
            values.flags.writeable = False
            made[index] = values
    return made
