"""A model that shows what is inside: every activation becomes an output, in the order in which it is computed.

Any interpreter and any engine runs such a model, so one way shows the inside of all of them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edgekit.tflite.flatbuffer import pack, unpack
from edgekit.tflite.graph import Graph, Tensor, parse

# What interpreters and the aot engine can give out; a tensor of another type stays inside.
_SHOWN_TYPES = ("int8", "uint8", "int16", "int32", "bool", "float32")


@dataclass(frozen=True, slots=True, eq=False)
class Tapped:
    """A model with all its activations as outputs.

    Attributes:
        graph: the tapped model.
        tensors: the activations in the order of the outputs, and so of `graph.outputs`.
    """

    graph: Graph
    tensors: tuple[Tensor, ...]


def tap(graph: Graph) -> Tapped:
    """Return the model with every operator's outputs as outputs of the model.

    Args:
        graph: a model of one subgraph.

    Returns:
        The tapped model; tensor indices and names are those of `graph`.

    Raises:
        ModelError: the model cannot be packed again.
    """
    indices = [index for op in graph.ops for index in op.outputs if graph.tensors[index].dtype in _SHOWN_TYPES]
    model = unpack(graph.flatbuffer)
    model.subgraphs[0].outputs = np.array(indices, np.int32)
    # Signatures name the outputs that the model had.
    model.signatureDefs = None
    tapped = parse(pack(model))
    return Tapped(tapped, tuple(tapped.tensors[index] for index in tapped.outputs))


def split(tensors: Sequence[Tensor], output: bytes) -> list[NDArray[Any]]:
    """Cut the bytes of all outputs into the tensors' values, each in its shape."""
    values, offset = [], 0
    for tensor in tensors:
        data = np.frombuffer(output, tensor.dtype, tensor.elements, offset).reshape(tensor.shape)
        values.append(data)
        offset += tensor.size_bytes
    return values
