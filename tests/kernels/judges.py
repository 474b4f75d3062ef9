"""The judges of a kernel, called in this process: hand-written models are well-formed, so no child is needed."""

from __future__ import annotations

import numpy as np

from edgekit.tflite.graph import Graph

ARENA_BYTES = 1 << 20


def tflm(graph: Graph, inputs: tuple[bytes, ...]) -> tuple[bytes, ...]:
    """TensorFlow Lite Micro's host interpreter."""
    from tflite_micro.python.tflite_micro import runtime

    interpreter = runtime.Interpreter.from_bytes(graph.flatbuffer, arena_size=ARENA_BYTES)
    shape = graph.tensors[graph.inputs[0]].shape
    outputs = []
    for sample in inputs:
        # TFLM may overwrite its input during a run, so it is set before each.
        interpreter.set_input(np.frombuffer(sample, np.int8).reshape(shape), 0)
        interpreter.invoke()
        outputs.append(interpreter.get_output(0).tobytes())
    return tuple(outputs)


def litert_reference(graph: Graph, inputs: tuple[bytes, ...]) -> tuple[bytes, ...]:
    """LiteRT with its portable reference kernels."""
    from ai_edge_litert.interpreter import Interpreter, OpResolverType

    interpreter = Interpreter(model_content=graph.flatbuffer, experimental_op_resolver_type=OpResolverType.BUILTIN_REF)
    interpreter.allocate_tensors()
    source, target = interpreter.get_input_details()[0], interpreter.get_output_details()[0]
    outputs = []
    for sample in inputs:
        interpreter.set_tensor(source["index"], np.frombuffer(sample, np.int8).reshape(source["shape"]))
        interpreter.invoke()
        outputs.append(interpreter.get_tensor(target["index"]).tobytes())
    return tuple(outputs)
