"""What a Keras model costs: weights, multiply-accumulates, bytes as int8, RAM; and its metric."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from math import prod
from pathlib import Path
from typing import TYPE_CHECKING, Any

import keras
import numpy as np
import tensorflow as tf

from edgekit import metrics
from edgekit.compress.frame.conversion import to_int8 as to_int8
from edgekit.compress.frame.step import Cost
from edgekit.engine.program import program
from edgekit.errors import DataError, EdgeKitError, ModelError, UnsupportedOpError
from edgekit.tflite.convert_trace import Floats, predict
from edgekit.tflite.graph import parse
from edgekit.tflite.quantization_plan import QuantizationPlan

if TYPE_CHECKING:
    from edgekit.data import Data

_SCOPE = "counted_layer_"


def parameters(model: keras.Model) -> int:
    """Return the number of weights, each stored variable counted once."""
    return sum(prod(variable.shape) for variable in model.weights)


def nonzero_parameters(model: keras.Model) -> int:
    """Return the number of weights that are not zero."""
    return sum(int(np.count_nonzero(keras.ops.convert_to_numpy(variable))) for variable in model.weights)


def macs(model: keras.Model) -> int:
    """Return the multiply-accumulates of one inference, padding counted as if it were data."""
    return sum(layer_macs(model).values())


def layer_macs(model: keras.Model) -> dict[str, int]:
    """Count the multiply-accumulates of each layer in the traced graph, so that any layer is counted as it computes.

    Args:
        model: a built functional or Sequential model; an axis of unknown size counts as 1.

    Returns:
        Layer name -> multiply-accumulates of one inference, those of a nested model under its name; layers without
        any are left out. A recurrent layer counts once for each time step.
    """
    inputs = [
        tf.TensorSpec([1 if size is None else size for size in (1, *tensor.shape[1:])], tensor.dtype)
        for tensor in model.inputs
    ]
    functional = model._functional if isinstance(model, keras.Sequential) else model
    names: list[str] = []

    def in_scope(operation: Any) -> Any:
        names.append(operation.name)
        scope = f"{_SCOPE}{len(names) - 1}"

        def call(*args: Any, **kwargs: Any) -> Any:
            with tf.name_scope(scope):
                return operation(*args, **kwargs)

        return call

    concrete = tf.function(
        lambda *x: functional._run_through_graph(x[0] if len(x) == 1 else list(x), operation_fn=in_scope)
    ).get_concrete_function(*inputs)
    counted: Counter[str] = Counter()
    for operation in _used(concrete.outputs):
        found = re.search(f"{_SCOPE}([0-9]+)(_[0-9]+)?/", operation.name)
        amount = _operation_macs(operation)
        if amount and found:
            counted[names[int(found[1])]] += amount
    return dict(counted)


def _operation_macs(operation: Any) -> int:
    """Multiply-accumulates of one operation of a TensorFlow graph."""
    shapes = [tuple(tensor.shape.as_list() or ()) for tensor in operation.inputs]
    output = prod(operation.outputs[0].shape.as_list() or ()) if operation.outputs else 0
    match operation.type:
        case "Conv2D" | "Conv3D":
            return int(output * prod(shapes[1][:-1]))
        case "DepthwiseConv2dNative":
            return int(output * prod(shapes[1][:2]))
        case "Conv2DBackpropInput" | "Conv3DBackpropInputV2":
            # Transposed: each element that comes in meets the whole kernel of every output channel.
            return int(prod(shapes[2]) * prod(shapes[1][:-1]))
        case "MatMul":
            return int(output * shapes[0][0 if operation.get_attr("transpose_a") else 1])
        case "BatchMatMulV2" | "BatchMatMul":
            return int(output * shapes[0][-2 if operation.get_attr("adj_x") else -1])
        case "Einsum":
            return _einsum_macs(operation.get_attr("equation").decode(), shapes)
        case "While" | "StatelessWhile":
            return _turns(operation) * _body_macs(operation, "body")
        case "PartitionedCall" | "StatefulPartitionedCall":
            return _body_macs(operation, "f")
    return 0


def _used(outputs: Sequence[Any]) -> list[Any]:
    """Return the operations that outputs depend on: Keras traces a recurrent cell once more, for its shapes."""
    found: dict[str, Any] = {}
    pending = [tensor.op for tensor in outputs]
    while pending:
        operation = pending.pop()
        if operation.name not in found:
            found[operation.name] = operation
            pending += [tensor.op for tensor in operation.inputs]
    return list(found.values())


def _body_macs(operation: Any, attribute: str) -> int:
    body = operation.graph._get_function(operation.get_attr(attribute).name).graph
    return sum(_operation_macs(inner) for inner in _used(body.outputs))


def _turns(loop: Any) -> int:
    """A recurrent layer takes one row of a list in each turn."""
    lists = [tensor.op.inputs[0].shape[0] for tensor in loop.inputs if tensor.op.type == "TensorListFromTensor"]
    return max((rows for rows in lists if rows is not None), default=1)


def _einsum_macs(equation: str, shapes: list[tuple[int, ...]]) -> int:
    terms = equation.split("->")[0].replace("...", "").split(",")
    sizes = {
        letter: size
        for term, shape in zip(terms, shapes, strict=True)
        for letter, size in zip(term, shape[len(shape) - len(term) :], strict=True)
    }
    return prod(sizes.values())


def cost(
    model: keras.Model, data: Data, plan: QuantizationPlan = QuantizationPlan(), metric: str | None = None
) -> Cost:
    """Measure a model: convert it, plan its memory, and run the float model on the test part.

    Args:
        model: a built model.
        data: calibration and test samples.
        plan: what was decided on quantization.
        metric: its name; None chooses by the model's shape.

    Returns:
        The cost; what cannot be had for this model is None.
    """
    int8_bytes, arena_bytes = _converted_sizes(model, data, plan)
    return Cost(
        parameters=parameters(model),
        nonzero_parameters=nonzero_parameters(model),
        macs=macs(model) if _is_functional(model) else 0,
        int8_bytes=int8_bytes,
        arena_bytes=arena_bytes,
        metric=_metric(model, data, metric),
    )


def _is_functional(model: keras.Model) -> bool:
    return bool(getattr(model, "inputs", None))


def _converted_sizes(model: keras.Model, data: Data, plan: QuantizationPlan) -> tuple[int | None, int | None]:
    if not _is_functional(model) or len(model.inputs) != 1:
        return None, None
    try:
        flatbuffer = to_int8(model, data, plan)
    except EdgeKitError:
        return None, None
    try:
        return len(flatbuffer), program(parse(flatbuffer)).memory.arena_bytes
    except (UnsupportedOpError, ModelError):
        return len(flatbuffer), None


def _metric(model: keras.Model, data: Data, name: str | None) -> float | None:
    if data.x_test is None or not _is_functional(model) or len(model.inputs) != 1:
        return None
    outputs: Floats = predict(model, data.x_test)
    chosen = name or metrics.default_metric(outputs, data.x_test, data.y_test)
    try:
        return None if chosen is None else metrics.evaluate(chosen, outputs, data.x_test, data.y_test, Path())
    except DataError:
        return None
