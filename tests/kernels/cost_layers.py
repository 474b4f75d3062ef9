"""Models of many layers that do not feed one another, with weights of every kind: what kernels are measured with."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from ai_edge_litert import schema_py_generated as schema
from cases._random import PADDING
from flatbuffers_by_hand import ModelByHand, same_or_valid
from form_cases import coarser

from edgekit.engine import schedule
from edgekit.engine.lowered import Lowered
from edgekit.engine.options import EngineOptions
from edgekit.engine.plan import ARENA_ALIGNMENT
from edgekit.engine.program import Program
from edgekit.engine.types import MemoryPlan
from edgekit.tflite import graph
from edgekit.tflite.graph import Graph

# Of a layer, so that all of them run within seconds and lie in the flash of one chip.
_MOST_MACS = 120_000
_MOST_WEIGHTS = 6_000
_MOST_ELEMENTS = 6_000
WAYS = ("blocks", "single", "int4", "clustered", "blocks", "single", "int4 tensor", "sparse")
MEASURED = {"CONV_2D": 64, "DEPTHWISE_CONV_2D": 32, "FULLY_CONNECTED": 32}
_KERNELS = ((1, 1), (1, 1), (3, 3), (1, 1), (10, 4), (3, 3))


def model(
    seed: int = 0,
    layers: Mapping[str, int] = MEASURED,
    ways: Sequence[str] = WAYS,
    zeros: tuple[float, float] = (0.4, 0.93),
    pruned: int = 0,
) -> Graph:
    """Return the model; another seed gives other layers.

    Args:
        seed: names the model.
        layers: how many of each kind.
        ways: what the weights are like, one after another.
        zeros: least and largest share of zeros.
        pruned: how many CONV_2D more, of whose weights four or eight channels share two of each four depths.
    """
    rng, made = np.random.default_rng([seed, 31]), ModelByHand()
    ops = []
    for kind, count in layers.items():
        for place in range(count):
            way = ways[place // 2 % len(ways)]
            share = rng.uniform(0.93, 0.99) if way == "sparse" else rng.uniform(*zeros)
            ops.append(_layer(made, rng, kind, place, (way, share)))
    ops += [_layer(made, rng, "CONV_2D", place, (("2:4", "2:4x8")[place // 2 % 2], 0.5)) for place in range(pruned)]
    return graph.parse(made.pack_chain(ops, [op[1][0] for op in ops], [op[2] for op in ops]))


def overlaid(made: Graph, layers: tuple[Lowered, ...], features: tuple[str, ...]) -> Program:
    """Return a program of layers of a model, all in the same memory.

    Nobody reads what they give, and the instructions that they take do not depend on what they read.
    """
    largest = [
        -(-max(made.tensors[index].size_bytes for index in ends) // ARENA_ALIGNMENT) * ARENA_ALIGNMENT
        for ends in (made.inputs, made.outputs)
    ]
    most = max((item.scratch_bytes or 0 for item in layers), default=0)
    offsets = dict.fromkeys(made.inputs, 0) | dict.fromkeys(made.outputs, largest[0])
    memory = MemoryPlan(
        arena_bytes=sum(largest) + -(-most // ARENA_ALIGNMENT) * ARENA_ALIGNMENT,
        offsets=offsets,
        live={index: (-1, len(layers)) for index in offsets},
        scratch={place: (sum(largest), item.scratch_bytes) for place, item in enumerate(layers) if item.scratch_bytes},
    )
    one = dataclasses.replace(made, inputs=made.inputs[:1], outputs=made.outputs[:1])
    return Program(one, layers, schedule.layer_by_layer(made, layers), memory, EngineOptions(features))


def _layer(
    made: ModelByHand, rng: np.random.Generator, kind: str, place: int, weights_are: tuple[str, float]
) -> tuple[str, list[int], int, Any]:
    way, share = weights_are
    image, kernel, stride, channels = _shape(rng, kind, place)
    depth = image[-1]
    is_depthwise = kind == "DEPTHWISE_CONV_2D"
    size = [same_or_valid(side, taps, stride, 1, "SAME") for side, taps in zip(image, kernel, strict=False)]
    shape = (1, *kernel, channels) if is_depthwise else (channels, *kernel, depth)
    rows = rng.integers(-127, 128, (channels, math.prod(shape) // channels)).astype(np.int8)
    rows = coarser(rows, "int4" if way == "int4 tensor" else way.replace("sparse", "single"), rng, share)
    data = np.ascontiguousarray(rows.T if is_depthwise else rows).reshape(shape)
    scale = np.full(channels, 0.005, np.float32)
    source = made.tensor((1, *image), 0.05, -128)
    dtype = "int4" if way == "int4 tensor" and not is_depthwise else "int8"
    weights = made.tensor(shape, scale, data=data, axis=3 if is_depthwise else 0, dtype=dtype)
    bias = rng.integers(-5000, 5000, channels, dtype=np.int32)
    biases = made.tensor((channels,), scale * np.float32(0.05), dtype="int32", data=bias)
    output = made.tensor((1, *size, channels), 0.2, -128 if place % 2 else 3)
    return kind, [source, weights, biases], output, _options(kind, stride, relu=bool(place % 2))


def _shape(rng: np.random.Generator, kind: str, place: int) -> tuple[tuple[int, ...], tuple[int, ...], int, int]:
    """Shape of the input without the batch, window, stride, output channels."""
    while True:
        channels = int(rng.choice([4, 8, 12, 16, 24, 32, 48, 64, 96]))
        if kind == "FULLY_CONNECTED":
            image, kernel = (int(rng.choice([16, 40, 64, 128, 256, 512])),), ()
            pixels, taps = 1, image[0]
        else:
            side = int(rng.integers(4, 20))
            kernel = (3, 3) if kind == "DEPTHWISE_CONV_2D" and place % 8 else _KERNELS[place % len(_KERNELS)]
            kernel = (5, 5) if kind == "DEPTHWISE_CONV_2D" and place % 8 == 0 else kernel
            depth = channels if kind == "DEPTHWISE_CONV_2D" else int(rng.choice([1, 4, 8, 16, 32, 64, 128]))
            image, pixels = (side, int(rng.integers(4, 20)), depth), 0
            stride = 1 + (place // 4) % 2
            pixels = math.prod(-(-length // stride) for length in image[:2])
            taps = math.prod(kernel) * (1 if kind == "DEPTHWISE_CONV_2D" else depth)
            if taps < 8 or max(math.prod(image), pixels * channels) > _MOST_ELEMENTS:
                continue
        if pixels * taps * channels <= _MOST_MACS and taps * channels <= _MOST_WEIGHTS * (1 + (place % 4 == 0)):
            return image, kernel, 1 if kind == "FULLY_CONNECTED" else stride, channels


def _options(kind: str, stride: int, *, relu: bool) -> Any:
    made = {
        "CONV_2D": schema.Conv2DOptionsT,
        "DEPTHWISE_CONV_2D": schema.DepthwiseConv2DOptionsT,
        "FULLY_CONNECTED": schema.FullyConnectedOptionsT,
    }[kind]()
    made.fusedActivationFunction = getattr(schema.ActivationFunctionType, "RELU" if relu else "NONE")
    if kind != "FULLY_CONNECTED":
        made.padding, made.strideW, made.strideH = PADDING["SAME"], stride, stride
        made.dilationHFactor = made.dilationWFactor = 1
    if kind == "DEPTHWISE_CONV_2D":
        made.depthMultiplier = 1
    return made
