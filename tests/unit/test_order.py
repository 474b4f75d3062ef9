"""Operators of a branching graph run in the order whose peak is lowest; a deep graph is planned all the same."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest
from ai_edge_litert import schema_py_generated as schema

from edgekit.engine.memory.access import access
from edgekit.engine.memory.order import best_order
from edgekit.engine.memory.streaming import demands
from edgekit.engine.options import EngineOptions, Optimize
from edgekit.engine.program import program
from edgekit.tflite import graph
from edgekit.tflite.graph import Graph

sys.path.insert(0, str(Path(__file__).parents[1] / "kernels"))
from flatbuffers_by_hand import ModelByHand


class _Net:
    """Convolutions and sums of small images."""

    def __init__(self) -> None:
        self.model, self.rng = ModelByHand(), np.random.default_rng(3)
        self.ops: list[tuple[str, list[int], int, object]] = []
        self.input = self.image(1)

    def image(self, channels: int) -> int:
        return self.model.tensor((1, 8, 8, channels), 0.05, 1)

    def conv(self, source: int, channels: int, *, before: int, size: int = 3) -> int:
        shape = (channels, size, size, before)
        scale = np.full(channels, 0.01, np.float32)
        weights = self.model.tensor(shape, scale, data=self.rng.integers(-127, 128, shape, dtype=np.int8), axis=0)
        bias = self.model.tensor((channels,), scale * 0.05, dtype="int32", data=np.zeros(channels, np.int32))
        options = schema.Conv2DOptionsT()
        options.strideH = options.strideW = options.dilationHFactor = options.dilationWFactor = 1
        options.padding = schema.Padding.SAME
        output = self.image(channels)
        self.ops.append(("CONV_2D", [source, weights, bias], output, options))
        return output

    def add(self, left: int, right: int) -> int:
        output = self.image(1)
        self.ops.append(("ADD", [left, right], output, schema.AddOptionsT()))
        return output

    def pack(self, output: int) -> Graph:
        return graph.parse(self.model.pack_chain(self.ops, [self.input], [output]))


def _two_wide_branches() -> Graph:
    """Both branches widen before either narrows: in this order both wide tensors are alive at once."""
    net = _Net()
    wide = [net.conv(net.input, 16, before=1) for _ in range(2)]
    return net.pack(net.add(*(net.conv(one, 1, before=16) for one in wide)))


def test_one_branch_is_done_before_the_next_begins() -> None:
    made = program(_two_wide_branches())
    touched = access(made.graph, made.lowered)
    assert best_order(touched, demands(touched)) in ((0, 2, 1, 3, 4), (1, 3, 0, 2, 4))
    one_wide = 16 * 64
    assert made.memory.arena_bytes < 2 * one_wide


@pytest.mark.parametrize("optimize", [Optimize.SPEED, Optimize.RAM])
def test_two_hundred_operators_are_planned(optimize: Optimize) -> None:
    net = _Net()
    current = net.input
    while len(net.ops) < 200:
        branches = [net.conv(net.conv(current, 2, before=1), 1, before=2) for _ in range(2)]
        current = net.add(*branches)
    made = program(net.pack(current), EngineOptions(optimize=optimize))
    assert len(made.lowered) == len(net.ops) >= 200
    # Every tensor has 64 bytes or 128; without a plan they would take more than 16,000.
    assert made.memory.arena_bytes < 512
