"""Channels that nobody looks at, and those that always hold one value, leave the model.

A channel is dead where every weight that reads it is zero; it is constant where weights are zero or a clamp leaves
one code. A constant enters the bias of the layer that reads it: sum((c - zero_point) * w), in exact integers. Where
padding stands beside it (which counts as real zero) that is only so for c = zero_point.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from edgekit.errors import ModelError
from edgekit.tflite.graph import Graph, Op
from edgekit.tflite.shrink._groups import Groups, columns, groups
from edgekit.tflite.shrink._model import copy_constant, set_constant, set_shape, view
from edgekit.tflite.shrink._ranges import Range, bias_of, is_linear, pads, range_of, ranges

_SINKS = ("CONV_2D", "FULLY_CONNECTED")
_INT32_LIMIT = 2**31
# Of a weight and a code less its zero point.
_LARGEST_PRODUCT = 128 * 255


def apply(model: Any) -> int:
    """Remove dead and constant channels until there are none.

    Args:
        model: a `schema.ModelT` with one subgraph, changed in place.

    Returns:
        How many channels went, counted once for each layer that computed them.
    """
    if len(model.subgraphs or ()) != 1:
        return 0
    removed = 0
    while True:
        try:
            graph = view(model)
        except ModelError:
            return removed
        found = groups(graph)
        known = ranges(graph)
        gone = _removable(graph, found, known)
        if not gone:
            return removed
        removed += _remove(model, graph, found, known, gone)


def remove_groups(model: Any, graph: Graph, found: Groups, gone: set[int]) -> None:
    """Take channels out of a model whatever they compute: its shapes are then right, its outputs others.

    Args:
        model: changed in place.
        graph: a view of it.
        found: the channels of `graph`.
        gone: groups of them, none of them frozen.
    """
    zero = {tensor: _real_zero(graph, tensor) for tensor in found.members}
    _remove(model, graph, found, zero, gone)


def _real_zero(graph: Graph, tensor: int) -> Range:
    """A range of the one code that leaves no trace in a bias."""
    quant = graph.tensors[tensor].quant
    codes = np.full(graph.tensors[tensor].shape[-1:], quant.zero_point[0] if quant is not None else 0, np.int64)
    return Range(codes, codes)


def _removable(graph: Graph, found: Groups, known: dict[int, Range]) -> set[int]:
    """Groups that no layer needs: at each that reads one, its weights are zero or its value is foldable."""
    needed = found.is_frozen()
    for op in graph.ops:
        if op.kind in _SINKS and is_linear(graph, op) and op.inputs[0] in found.members:
            roots = found.roots(op.inputs[0])
            if op.kind == "FULLY_CONNECTED":
                roots = _columns(graph, op, roots)
            wanted = ~(_unread(graph, op) | _foldable(graph, op, known))
            needed.update(int(root) for root in roots[wanted])
    everything = {int(root) for tensor in found.members for root in found.roots(tensor)}
    gone = everything - needed
    for tensor in found.members:
        roots = found.roots(tensor)
        if len(roots) and gone.issuperset(int(root) for root in roots):
            # A tensor without channels is no tensor.
            gone.discard(int(roots[0]))
    return gone


def _columns(graph: Graph, op: Op, values: NDArray[np.int64]) -> NDArray[np.int64]:
    """Spread what is known of an input's channels over the columns of a FULLY_CONNECTED's weights."""
    spread = columns(graph, op, values)
    assert spread is not None, "groups() freezes inputs whose vectors differ"
    return spread


def _weights(graph: Graph, op: Op) -> NDArray[np.int8]:
    """Weights of a sink as (output channels, taps, input channels)."""
    data = graph.tensors[op.inputs[1]].data
    assert data is not None
    return data.reshape(data.shape[0], -1, data.shape[-1])


def _unread(graph: Graph, op: Op) -> NDArray[np.bool_]:
    return np.asarray(~_weights(graph, op).any(axis=(0, 1)), np.bool_)


def _offsets(graph: Graph, op: Op, known: dict[int, Range]) -> tuple[NDArray[np.bool_], NDArray[np.int64]]:
    """Which input channels are constant, and what they hold less the zero point; one entry a column of weights."""
    before = range_of(graph, known, op.inputs[0])
    low, high = before.low, before.high
    if op.kind == "FULLY_CONNECTED":
        shape, depth = graph.tensors[op.inputs[0]].shape, graph.tensors[op.inputs[1]].shape[1]
        low = np.broadcast_to(low, shape).reshape(-1, depth).min(axis=0)
        high = np.broadcast_to(high, shape).reshape(-1, depth).max(axis=0)
    quant = graph.tensors[op.inputs[0]].quant
    assert quant is not None
    return low == high, low - quant.zero_point[0]


def _foldable(graph: Graph, op: Op, known: dict[int, Range]) -> NDArray[np.bool_]:
    constant, offset = _offsets(graph, op, known)
    if pads(graph, op):
        constant = constant & (offset == 0)
    if not _has_bias(op):
        constant = constant & (offset == 0)
    weights = _weights(graph, op)
    largest = np.abs(bias_of(graph, op)).max(initial=0) + weights.shape[1] * weights.shape[2] * _LARGEST_PRODUCT
    return constant & bool(largest < _INT32_LIMIT)


def _has_bias(op: Op) -> bool:
    return len(op.inputs) > 2 and op.inputs[2] >= 0


def _remove(model: Any, graph: Graph, found: Groups, known: dict[int, Range], gone: set[int]) -> int:
    """Take groups out of every tensor; return how many channels layers no longer compute."""
    kept = {
        tensor: np.array([int(root) not in gone for root in found.roots(tensor)], np.bool_) for tensor in found.members
    }
    removed = 0
    for op in graph.ops:
        if op.outputs[0] not in kept or op.inputs[0] not in kept:
            continue
        if is_linear(graph, op):
            removed += int((~kept[op.outputs[0]]).sum())
            _slice_layer(model, graph, op, known, kept[op.inputs[0]], kept[op.outputs[0]])
        elif op.kind == "RESHAPE":
            _slice_reshape(model, graph, op, int(kept[op.outputs[0]].sum()))
    for tensor, keep in kept.items():
        shape = graph.tensors[tensor].shape
        if shape and not keep.all():
            set_shape(model, tensor, (*shape[:-1], int(keep.sum())))
    return removed


def _slice_layer(
    model: Any,
    graph: Graph,
    op: Op,
    known: dict[int, Range],
    keep_in: NDArray[np.bool_],
    keep_out: NDArray[np.bool_],
) -> None:
    weights = graph.tensors[op.inputs[1]].data
    assert weights is not None
    bias = bias_of(graph, op)
    if op.kind == "DEPTHWISE_CONV_2D":
        sliced = weights[..., keep_out]
    else:
        if op.kind == "FULLY_CONNECTED":
            keep_in = _columns(graph, op, keep_in.astype(np.int64)).astype(np.bool_)
        _, offset = _offsets(graph, op, known)
        folded = np.flatnonzero(~keep_in & (offset != 0))
        if len(folded):
            taps = _weights(graph, op)[..., folded].sum(axis=1, dtype=np.int64)
            bias = bias + taps @ offset[folded]
        sliced = weights[keep_out][..., keep_in]
    axis = 3 if op.kind == "DEPTHWISE_CONV_2D" else 0
    if sliced.shape != weights.shape:
        set_constant(model, op.inputs[1], sliced)
        _slice_scales(model, op.inputs[1], keep_out, axis)
    if _has_bias(op):
        new = bias[keep_out].astype(np.int32)
        old = graph.tensors[op.inputs[2]].data
        if old is None or new.shape != old.reshape(-1).shape or np.any(new != old.reshape(-1)):
            set_constant(model, op.inputs[2], new)
            _slice_scales(model, op.inputs[2], keep_out, 0)
    if op.kind == "DEPTHWISE_CONV_2D":
        options = model.subgraphs[0].operators[op.index].builtinOptions
        options.depthMultiplier = int(keep_out.sum()) // max(1, int(keep_in.sum()))


def _slice_scales(model: Any, tensor: int, keep: NDArray[np.bool_], axis: int) -> None:
    quantization = model.subgraphs[0].tensors[tensor].quantization
    if quantization is None:
        return
    for name in ("scale", "zeroPoint", "min", "max"):
        values = getattr(quantization, name)
        if values is not None and len(values) == len(keep):
            setattr(quantization, name, np.asarray(values)[keep])
    quantization.quantizedDimension = axis if quantization.scale is not None else 0


def _slice_reshape(model: Any, graph: Graph, op: Op, channels: int) -> None:
    """Both places that say the new shape; -1 keeps its meaning."""
    operator = model.subgraphs[0].operators[op.index]
    if len(op.inputs) > 1:
        shape = graph.tensors[op.inputs[1]].data
        assert shape is not None
        changed = shape.copy().reshape(-1)
        if changed[-1] not in (-1, channels):
            changed[-1] = channels
            # Another RESHAPE may share the constant.
            operator.inputs = [op.inputs[0], copy_constant(model, op.inputs[1], changed)]
    options = operator.builtinOptions
    if options is not None and options.newShape is not None and len(options.newShape):
        new = np.array(options.newShape, np.int32)
        if new[-1] != -1:
            new[-1] = channels
        options.newShape = new
