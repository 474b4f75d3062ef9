"""Small int8 networks for the passes to work on, written directly."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import judges
import numpy as np
from ai_edge_litert import schema_py_generated as schema
from flatbuffers_by_hand import ModelByHand, same_or_valid
from numpy.typing import NDArray

from edgekit.tflite import flatbuffer, graph
from edgekit.tflite.graph import Graph
from edgekit.tflite.shrink.inputs import random_inputs

ZERO_POINT = -128
RELU = 1
_IN_SCALE, _WEIGHT_SCALE, _OUT_SCALE = 0.05, 0.02, 0.05
Ints = NDArray[Any]


@dataclass
class Net:
    """A chain of layers; each method adds one behind `last` and returns its output.

    Attributes:
        model: collects tensors.
        ops: so far.
        last, shape: output of the last layer.
    """

    shape: tuple[int, ...]
    model: ModelByHand = field(default_factory=ModelByHand)
    ops: list[tuple[str, list[int], int | list[int], Any]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.start = self.last = self.activation(self.shape)

    def activation(self, shape: tuple[int, ...], scale: float = _OUT_SCALE, zero_point: int = ZERO_POINT) -> int:
        """Add a tensor that an operator computes."""
        return self.model.tensor(shape, scale, zero_point)

    def op(self, kind: str, inputs: list[int], shape: tuple[int, ...], options: Any = None) -> int:
        """Add any operator."""
        self.last, self.shape = self.activation(shape), shape
        self.ops.append((kind, inputs, self.last, options))
        return self.last

    def conv(self, weights: Ints, bias: Ints, *, same: bool = True, stride: int = 1, fused: int = RELU) -> int:
        """CONV_2D; weights of shape (output channels, rows, columns, input channels)."""
        options = schema.Conv2DOptionsT()
        return self._convolution("CONV_2D", options, weights, bias, 0, (same, stride, fused))

    def depthwise(self, weights: Ints, bias: Ints, *, same: bool = True, stride: int = 1, fused: int = RELU) -> int:
        """DEPTHWISE_CONV_2D; weights of shape (1, rows, columns, channels)."""
        options = schema.DepthwiseConv2DOptionsT()
        options.depthMultiplier = weights.shape[3] // self.shape[3]
        return self._convolution("DEPTHWISE_CONV_2D", options, weights, bias, 3, (same, stride, fused))

    def _convolution(
        self, kind: str, options: Any, weights: Ints, bias: Ints, axis: int, how: tuple[bool, int, int]
    ) -> int:
        same, stride, fused = how
        options.padding, options.strideH, options.strideW = int(not same), stride, stride
        options.dilationHFactor = options.dilationWFactor = 1
        options.fusedActivationFunction = fused
        channels = weights.shape[axis]
        scales = np.linspace(_WEIGHT_SCALE / 2, _WEIGHT_SCALE, channels)
        tensors = [
            self.model.tensor(weights.shape, scales, data=weights.astype(np.int8), axis=axis),
            self.model.tensor((channels,), scales * _IN_SCALE, dtype="int32", data=bias.astype(np.int32)),
        ]
        name = "SAME" if same else "VALID"
        rows, columns = (same_or_valid(self.shape[i], weights.shape[i], stride, 1, name) for i in (1, 2))
        return self.op(kind, [self.last, *tensors], (1, rows, columns, channels), options)

    def dense(self, weights: Ints, bias: Ints) -> int:
        """FULLY_CONNECTED; weights of shape (units, depth)."""
        tensors = [
            self.model.tensor(weights.shape, _WEIGHT_SCALE, data=weights.astype(np.int8)),
            self.model.tensor((len(bias),), _WEIGHT_SCALE * _IN_SCALE, dtype="int32", data=bias.astype(np.int32)),
        ]
        return self.op("FULLY_CONNECTED", [self.last, *tensors], (1, len(bias)), schema.FullyConnectedOptionsT())

    def average(self) -> int:
        """AVERAGE_POOL_2D over everything."""
        options = schema.Pool2DOptionsT()
        options.padding, options.filterHeight, options.filterWidth = 1, *self.shape[1:3]
        options.strideH, options.strideW = self.shape[1:3]
        return self.op("AVERAGE_POOL_2D", [self.last], (1, 1, 1, self.shape[3]), options)

    def reshape(self, *shape: int) -> int:
        """RESHAPE to a constant shape."""
        options = schema.ReshapeOptionsT()
        options.newShape = list(shape)
        wanted = self.model.tensor((len(shape),), dtype="int32", data=np.array(shape, np.int32))
        return self.op("RESHAPE", [self.last, wanted], shape, options)

    def tree(self, outputs: list[int] | None = None) -> Any:
        """The object tree of what was built."""
        return flatbuffer.unpack(self.model.pack_chain(self.ops, [self.start], outputs or [self.last]))


def ints(random: np.random.Generator, *shape: int, limit: int = 127) -> Ints:
    """Random weights or biases."""
    return random.integers(-limit, limit + 1, shape)


def packed(tree: Any) -> Graph:
    """What a reader sees of a changed tree."""
    flatbuffer.remove_unused(tree)
    return graph.parse(flatbuffer.pack(tree))


def assert_equal_bits(before: Graph, after: Graph, count: int = 12) -> None:
    """Both judges give the same bytes for both models, and not the same for every input."""
    samples = random_inputs(before, count)
    expected = judges.tflm(before, samples)
    assert len(set(expected)) > 1, "the net says nothing: its output never changes"
    assert judges.tflm(after, samples) == expected
    assert judges.litert_reference(after, samples) == judges.litert_reference(before, samples)
