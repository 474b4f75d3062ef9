"""Which codes each channel of each int8 activation can take, whatever the input: constants are ranges of one code."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from edgekit.tflite.graph import Graph, Op, Tensor
from edgekit.tflite.shrink._requantize import clamp_codes, factors, requantize

_SAME = 0
# Weights widened to doubles at a time.
_CHUNK_ELEMENTS = 1 << 21


@dataclass(frozen=True, slots=True, eq=False)
class Range:
    """Lowest and highest code of each channel (index of the last axis), int64, shape (channels,)."""

    low: NDArray[np.int64]
    high: NDArray[np.int64]


def ranges(graph: Graph) -> dict[int, Range]:
    """Return tensor -> its range, for every int8 activation of which more is known than that it is int8."""
    found: dict[int, Range] = {}
    for op in graph.ops:
        known = _of_operator(graph, op, found)
        if known is not None:
            found[op.outputs[0]] = known
    return found


def range_of(graph: Graph, found: dict[int, Range], tensor: int) -> Range:
    """Return what is known of a tensor's channels; anything that int8 holds where nothing is."""
    if tensor in found:
        return found[tensor]
    channels = graph.tensors[tensor].shape[-1] if graph.tensors[tensor].shape else 1
    return Range(np.full(channels, -128, np.int64), np.full(channels, 127, np.int64))


def is_linear(graph: Graph, op: Op) -> bool:
    """Say whether an operator is an int8 layer with constant weights, one output channel an axis index, as known here.

    Zero points of weights are 0, biases constant int32 or absent, convolutions not grouped.
    """
    if op.kind not in ("CONV_2D", "DEPTHWISE_CONV_2D", "FULLY_CONNECTED"):
        return False
    before, weights, after = graph.tensors[op.inputs[0]], graph.tensors[op.inputs[1]], graph.tensors[op.outputs[0]]
    for tensor in (before, after):
        if tensor.dtype != "int8" or tensor.quant is None or len(tensor.quant.scale) != 1 or tensor.data is not None:
            return False
    if weights.data is None or weights.dtype != "int8" or weights.quant is None or any(weights.quant.zero_point):
        return False
    if op.kind == "FULLY_CONNECTED":
        fits = len(weights.shape) == 2 and int(op.options.get("weightsFormat", 0)) == 0
    elif op.kind == "CONV_2D":
        fits = weights.shape[3] == before.shape[-1]
    else:
        fits = weights.shape[0] == 1 and weights.shape[3] % before.shape[-1] == 0
    bias = _bias_tensor(graph, op)
    channels = after.shape[-1]
    known = bias is None or (bias.data is not None and bias.dtype == "int32" and bias.elements == channels)
    return fits and known and len(weights.quant.scale) in (1, channels)


def _bias_tensor(graph: Graph, op: Op) -> Tensor | None:
    return graph.tensors[op.inputs[2]] if len(op.inputs) > 2 and op.inputs[2] >= 0 else None


def bias_of(graph: Graph, op: Op) -> NDArray[np.int64]:
    """Return the bias of a linear layer, int64, shape (output channels,); zeros where it has none."""
    bias = _bias_tensor(graph, op)
    if bias is None or bias.data is None:
        return np.zeros(graph.tensors[op.outputs[0]].shape[-1], np.int64)
    return bias.data.reshape(-1).astype(np.int64)


def pads(graph: Graph, op: Op) -> bool:
    """Say whether a window of a convolution or a pool reaches over the border of its input."""
    if op.kind == "FULLY_CONNECTED" or int(op.options.get("padding", 1)) != _SAME:
        return False
    before, after = graph.tensors[op.inputs[0]].shape, graph.tensors[op.outputs[0]].shape
    if op.kind in ("CONV_2D", "DEPTHWISE_CONV_2D"):
        kernel = graph.tensors[op.inputs[1]].shape[1:3]
    else:
        kernel = (int(op.options["filterHeight"]), int(op.options["filterWidth"]))
    for axis, letter in ((1, "H"), (2, "W")):
        stride = int(op.options[f"stride{letter}"])
        reach = (kernel[axis - 1] - 1) * int(op.options.get(f"dilation{letter}Factor", 1)) + 1
        if (after[axis] - 1) * stride + reach > before[axis]:
            return True
    return False


def _of_operator(graph: Graph, op: Op, found: dict[int, Range]) -> Range | None:
    if is_linear(graph, op):
        return _of_linear(graph, op, found)
    if op.kind in ("AVERAGE_POOL_2D", "MAX_POOL_2D"):
        # Padding never enters a pool; the average of codes in a range lies in it.
        before, after = range_of(graph, found, op.inputs[0]), graph.tensors[op.outputs[0]]
        if after.dtype != "int8" or graph.tensors[op.inputs[0]].quant != after.quant:
            return None
        low, high = clamp_codes(before.low, op, after), clamp_codes(before.high, op, after)
        return None if low is None or high is None else Range(low, high)
    if op.kind in ("RESHAPE", "SQUEEZE", "EXPAND_DIMS") and op.inputs[0] in found:
        return _reshaped(found[op.inputs[0]], graph.tensors[op.inputs[0]].shape, graph.tensors[op.outputs[0]].shape)
    return None


def _reshaped(known: Range, before: tuple[int, ...], after: tuple[int, ...]) -> Range:
    """The channels of another shape of the same elements."""
    low = np.broadcast_to(known.low, before).reshape(-1, after[-1]) if after else known.low.min(keepdims=True)
    high = np.broadcast_to(known.high, before).reshape(-1, after[-1]) if after else known.high.max(keepdims=True)
    return Range(low.min(axis=0), high.max(axis=0))


def _of_linear(graph: Graph, op: Op, found: dict[int, Range]) -> Range | None:
    before, weights, after = graph.tensors[op.inputs[0]], graph.tensors[op.inputs[1]], graph.tensors[op.outputs[0]]
    assert before.quant is not None and weights.data is not None
    known = range_of(graph, found, op.inputs[0])
    if op.kind == "FULLY_CONNECTED":
        known = _reshaped(known, before.shape, (before.elements // weights.shape[1], weights.shape[1]))
    low, high = known.low - before.quant.zero_point[0], known.high - before.quant.zero_point[0]
    if pads(graph, op):
        # A padded element counts as real zero.
        low, high = np.minimum(low, 0), np.maximum(high, 0)
    bias = bias_of(graph, op)
    if op.kind == "DEPTHWISE_CONV_2D":
        multiplier = weights.shape[3] // before.shape[-1]
        low, high = np.repeat(low, multiplier), np.repeat(high, multiplier)
        positive, negative = (part.sum(axis=(0, 1, 2), dtype=np.int64) for part in _signed_parts(weights.data))
        lowest, highest = positive * low + negative * high, positive * high + negative * low
        if pads(graph, op):
            steady = np.repeat(known.low == known.high, multiplier)
            offset = np.repeat(known.low - before.quant.zero_point[0], multiplier)
            at_borders = _border_sums(graph, op, weights.data) * offset
            lowest = np.where(steady, at_borders.min(axis=0), lowest)
            highest = np.where(steady, at_borders.max(axis=0), highest)
        lowest, highest = lowest + bias, highest + bias
    else:
        lowest, highest = _sums(weights.data, low, high)
        lowest, highest = lowest + bias, highest + bias
    factor = factors(before, weights, after, len(bias))
    codes = [requantize(accumulators, factor, op, after) for accumulators in (lowest, highest)]
    return None if codes[0] is None or codes[1] is None else Range(codes[0], codes[1])


def _border_sums(graph: Graph, op: Op, weights: NDArray[np.int8]) -> NDArray[np.int64]:
    """Sums of a depthwise kernel's taps that lie inside of the input, one row for each way in which borders cut it.

    Args:
        graph: the graph of `op`.
        op: a DEPTHWISE_CONV_2D with padding.
        weights: shape (1, rows, columns, channels).

    Returns:
        int64, shape (ways, channels).
    """
    before, after = graph.tensors[op.inputs[0]].shape, graph.tensors[op.outputs[0]].shape
    inside = []
    for axis, letter in ((1, "H"), (2, "W")):
        stride, dilation = int(op.options[f"stride{letter}"]), int(op.options.get(f"dilation{letter}Factor", 1))
        taps = weights.shape[axis]
        padding = max((after[axis] - 1) * stride + (taps - 1) * dilation + 1 - before[axis], 0) // 2
        at = np.arange(after[axis])[:, None] * stride + np.arange(taps) * dilation - padding
        inside.append(np.unique((at >= 0) & (at < before[axis]), axis=0).astype(np.int64))
    sums: NDArray[np.int64] = np.einsum("ak,bl,klc->abc", inside[0], inside[1], weights[0].astype(np.int64))
    return sums.reshape(-1, weights.shape[3])


def _signed_parts(values: NDArray[np.int8]) -> tuple[NDArray[np.int8], NDArray[np.int8]]:
    return np.maximum(values, 0), np.minimum(values, 0)


def _over_taps(part: NDArray[np.int8]) -> NDArray[np.float64]:
    """Sum over the middle axis; there is nothing to sum in a layer of one tap."""
    return part[:, 0].astype(np.float64) if part.shape[1] == 1 else part.sum(axis=1, dtype=np.float64)


def _sums(
    weights: NDArray[np.int8], low: NDArray[np.int64], high: NDArray[np.int64]
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return, for each row of weights (output channel), the lowest and the highest sum that inputs in a range give."""
    rows = weights.reshape(weights.shape[0], -1, weights.shape[-1])
    step = max(1, _CHUNK_ELEMENTS // (rows.shape[1] * rows.shape[2]))
    # As doubles, whose products a BLAS sums; below 2^53 they are exact.
    at_positive, at_negative = (np.stack(pair, axis=1).astype(np.float64) for pair in ((low, high), (high, low)))
    parts = []
    for start in range(0, len(rows), step):
        positive, negative = (_over_taps(part) for part in _signed_parts(rows[start : start + step]))
        parts.append(positive @ at_positive + negative @ at_negative)
    both = np.concatenate(parts).astype(np.int64)
    return both[:, 0], both[:, 1]
