"""A model as it would be after an edit of its architecture: right in every shape, its values without meaning.

Such a model answers what an edit would cost or save, before anybody trains it.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any

import numpy as np

from edgekit.errors import ModelError
from edgekit.tflite import flatbuffer
from edgekit.tflite.graph import Graph, Op
from edgekit.tflite.shrink import channels
from edgekit.tflite.shrink._groups import groups
from edgekit.tflite.shrink._model import copy_constant, set_constant, set_shape, view

_CONVOLUTIONS = ("CONV_2D", "DEPTHWISE_CONV_2D")
_POOLS = ("AVERAGE_POOL_2D", "MAX_POOL_2D")
_SAME = 0
_ELEMENTWISE = frozenset(
    "ADD SUB MUL MAXIMUM MINIMUM RELU RELU6 RELU_N1_TO_1 RELU_0_TO_1 LEAKY_RELU LOGISTIC TANH HARD_SWISH ELU ABS "
    "QUANTIZE PRELU".split()
)

Shape = tuple[int, ...]


def with_half_the_channels(graph: Graph, tensor: int) -> Graph | None:
    """Return the model with every second channel of a tensor gone, and those of all that must go with them.

    None where channels of it are fixed: by the model's ends, or by an operator that mixes them.
    """
    found = groups(graph)
    if tensor not in found.members:
        return None
    roots = list(dict.fromkeys(int(root) for root in found.roots(tensor)))
    gone = set(roots[1::2])
    if not gone or gone & found.is_frozen():
        return None
    model = flatbuffer.unpack(graph.flatbuffer)
    try:
        channels.remove_groups(model, graph, found, gone)
        return view(model)
    except (ModelError, ValueError):
        return None


def with_half_the_frame(graph: Graph) -> Graph | None:
    """Return the model for an image of half the height and half the width; None where shapes cannot follow."""
    if len(graph.inputs) != 1 or len(graph.tensors[graph.inputs[0]].shape) != 4:
        return None
    batch, height, width, depth = graph.tensors[graph.inputs[0]].shape
    if height < 2 or width < 2:
        return None
    model = flatbuffer.unpack(graph.flatbuffer)
    return _reshaped(model, graph, {graph.inputs[0]: (batch, height // 2, width // 2, depth)})


def with_a_first_stride_of_two(graph: Graph) -> Graph | None:
    """Return the model whose convolution at the input moves by two pixels; None where it does already, or cannot."""
    first = next((op for op in graph.ops if op.inputs and op.inputs[0] in graph.inputs), None)
    if first is None or first.kind not in _CONVOLUTIONS:
        return None
    if (first.options.get("strideH"), first.options.get("strideW")) != (1, 1):
        return None
    model = flatbuffer.unpack(graph.flatbuffer)
    options = model.subgraphs[0].operators[first.index].builtinOptions
    options.strideH = options.strideW = 2
    moving = dataclasses.replace(first, options={**first.options, "strideH": 2, "strideW": 2})
    ops = tuple(moving if op is first else op for op in graph.ops)
    return _reshaped(model, dataclasses.replace(graph, ops=ops), {})


def _reshaped(model: Any, graph: Graph, changed: Mapping[int, Shape]) -> Graph | None:
    """Carry changed shapes through a model; `graph` says what its operators are."""
    shapes = dict(changed)
    try:
        for op in graph.ops:
            _follow(model, graph, op, shapes)
        for tensor, shape in shapes.items():
            set_shape(model, tensor, shape)
        return view(model)
    except (_CannotFollowError, ModelError):
        return None


class _CannotFollowError(Exception):
    """An operator whose output's shape is not known here."""


def _follow(model: Any, graph: Graph, op: Op, shapes: dict[int, Shape]) -> None:
    old = graph.tensors[op.inputs[0]].shape
    new = shapes.get(op.inputs[0], old)
    if op.kind in _CONVOLUTIONS:
        kernel = graph.tensors[op.inputs[1]].shape[1:3]
        after = _window(op, new, kernel, (op.options["strideH"], op.options["strideW"]), graph)
    elif op.kind in _POOLS:
        after = _pooled(model, graph, op, old, new)
    elif all(index not in shapes for index in op.inputs):
        return
    elif op.kind in _ELEMENTWISE:
        computed = {
            shapes.get(index, graph.tensors[index].shape)
            for index in op.inputs
            if graph.tensors[index].data is None or graph.tensors[index].elements > old[-1]
        }
        if len(computed) != 1:
            raise _CannotFollowError
        after = new
    elif op.kind in ("PAD", "PADV2"):
        amounts = graph.tensors[op.inputs[1]].data
        if amounts is None:
            raise _CannotFollowError
        after = tuple(size + int(pair[0]) + int(pair[1]) for size, pair in zip(new, amounts, strict=True))
    elif op.kind == "MEAN" and all(size == 1 for size in graph.tensors[op.outputs[0]].shape[:-1]):
        after = graph.tensors[op.outputs[0]].shape
    elif op.kind in ("RESHAPE", "FULLY_CONNECTED"):
        after = _flattened(model, graph, op, new) if op.kind == "RESHAPE" else _connected(model, graph, op, new)
    else:
        raise _CannotFollowError
    if after != graph.tensors[op.outputs[0]].shape:
        shapes[op.outputs[0]] = after


def _window(op: Op, new: Shape, kernel: tuple[int, ...], stride: tuple[int, int], graph: Graph) -> Shape:
    """The output of a window that moves over an image."""
    sizes = []
    for axis in (0, 1):
        reach = (kernel[axis] - 1) * int(op.options.get(("dilationHFactor", "dilationWFactor")[axis], 1) or 1) + 1
        size = new[1 + axis] if op.options["padding"] == _SAME else new[1 + axis] - reach + 1
        sizes.append(-(-size // stride[axis]))
    if min(sizes) < 1:
        raise _CannotFollowError
    return (new[0], *sizes, graph.tensors[op.outputs[0]].shape[-1])


def _pooled(model: Any, graph: Graph, op: Op, old: Shape, new: Shape) -> Shape:
    """A pool over the whole image stays one."""
    kernel: Shape = (op.options["filterHeight"], op.options["filterWidth"])
    stride = (op.options["strideH"], op.options["strideW"])
    if kernel == old[1:3]:
        options = model.subgraphs[0].operators[op.index].builtinOptions
        options.filterHeight, options.filterWidth = new[1:3]
        kernel = new[1:3]
    return _window(op, new, kernel, stride, graph)


def _flattened(model: Any, graph: Graph, op: Op, new: Shape) -> Shape:
    """A RESHAPE to vectors, whose length follows."""
    after = graph.tensors[op.outputs[0]].shape
    elements = int(np.prod(new))
    if len(after) != 2 or elements % after[0]:
        raise _CannotFollowError
    shape = (after[0], elements // after[0])
    operator = model.subgraphs[0].operators[op.index]
    if len(op.inputs) > 1:
        if graph.tensors[op.inputs[1]].data is None:
            raise _CannotFollowError
        operator.inputs = [op.inputs[0], copy_constant(model, op.inputs[1], np.array(shape, np.int32))]
    if operator.builtinOptions is not None and operator.builtinOptions.newShape is not None:
        operator.builtinOptions.newShape = np.array(shape, np.int32)
    return shape


def _connected(model: Any, graph: Graph, op: Op, new: Shape) -> Shape:
    """A layer behind a flattened image, with as many columns of weights as the image has elements."""
    weights = graph.tensors[op.inputs[1]].data
    if weights is None or len(new) != 2 or new[1] > weights.shape[1]:
        raise _CannotFollowError
    set_constant(model, op.inputs[1], weights[:, : new[1]])
    return graph.tensors[op.outputs[0]].shape
