"""The judges of a kernel, called in this process: hand-written models are well-formed, so no child is needed."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edgekit.tflite.graph import Graph

ARENA_BYTES = 1 << 20


def tflm(graph: Graph, samples: tuple[bytes, ...]) -> tuple[bytes, ...]:
    """TensorFlow Lite Micro's host interpreter: for each sample (all inputs) the bytes of all outputs."""
    from tflite_micro.python.tflite_micro import runtime

    interpreter = runtime.Interpreter.from_bytes(graph.flatbuffer, arena_size=ARENA_BYTES)
    has_states = any(tensor.is_variable for tensor in graph.tensors)
    outputs = []
    for sample in samples:
        if has_states:
            interpreter.reset()
        # TFLM may overwrite its input during a run, so it is set before each.
        for position, values in enumerate(_inputs(graph, sample)):
            interpreter.set_input(values, position)
        interpreter.invoke()
        outputs.append(b"".join(interpreter.get_output(place).tobytes() for place in range(len(graph.outputs))))
    return tuple(outputs)


def litert_reference(graph: Graph, samples: tuple[bytes, ...]) -> tuple[bytes, ...]:
    """LiteRT with its portable reference kernels, as `tflm`."""
    from ai_edge_litert.interpreter import Interpreter, OpResolverType

    interpreter = Interpreter(model_content=graph.flatbuffer, experimental_op_resolver_type=OpResolverType.BUILTIN_REF)
    interpreter.allocate_tensors()
    outputs = []
    for sample in samples:
        interpreter.reset_all_variables()
        for index, values in zip(graph.inputs, _inputs(graph, sample), strict=True):
            interpreter.set_tensor(index, values)
        interpreter.invoke()
        outputs.append(b"".join(interpreter.get_tensor(index).tobytes() for index in graph.outputs))
    return tuple(outputs)


def _inputs(graph: Graph, sample: bytes) -> Iterator[NDArray[Any]]:
    start = 0
    for index in graph.inputs:
        tensor = graph.tensors[index]
        end = start + tensor.size_bytes
        yield np.frombuffer(sample[start:end], tensor.dtype).reshape(tensor.shape)
        start = end
