"""The layers that are measured: one model of many layers that do not feed one another, with weights of every kind."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from ai_edge_litert import schema_py_generated as schema
from cases._random import PADDING
from flatbuffers_by_hand import ModelByHand, same_or_valid
from form_cases import coarser
from numpy.typing import NDArray

from edgekit.tflite import graph
from edgekit.tflite.graph import Graph

# Of a layer, so that all of them run within seconds and lie in the flash of one chip.
_MOST_MACS = 120_000
_MOST_WEIGHTS = 6_000
_MOST_ELEMENTS = 6_000
_WAYS = ("blocks", "single", "int4", "clustered", "blocks", "single", "int4 tensor", "sparse")
_LAYERS = {"CONV_2D": 80, "DEPTHWISE_CONV_2D": 40, "FULLY_CONNECTED": 32}
_KERNELS = ((1, 1), (1, 1), (3, 3), (1, 1), (10, 4), (3, 3))


def model(seed: int = 0) -> Graph:
    """Return the model; another seed gives other layers."""
    rng, made = np.random.default_rng([seed, 31]), ModelByHand()
    ops, sources = [], []
    for kind, count in _LAYERS.items():
        for place in range(count):
            op = _layer(made, rng, kind, place)
            ops.append(op)
            sources.append(op[1][0])
    return graph.parse(made.pack_chain(ops, sources, [op[2] for op in ops]))


def _layer(made: ModelByHand, rng: np.random.Generator, kind: str, place: int) -> tuple[str, list[int], int, Any]:
    way = _WAYS[place // 2 % len(_WAYS)]
    image, kernel, stride, channels = _shape(rng, kind, place)
    depth = image[-1]
    is_depthwise = kind == "DEPTHWISE_CONV_2D"
    size = [same_or_valid(side, taps, stride, 1, "SAME") for side, taps in zip(image, kernel, strict=False)]
    shape = (1, *kernel, channels) if is_depthwise else (channels, *kernel, depth)
    rows = rng.integers(-127, 128, (channels, math.prod(shape) // channels)).astype(np.int8)
    rows = coarser(rows, "int4" if way == "int4 tensor" else way.replace("sparse", "single"), rng, _share(rng, way))
    dtype = "int4" if way == "int4 tensor" and not is_depthwise else "int8"
    data = rows.T.reshape(shape) if is_depthwise else rows.reshape(shape)
    scale = np.full(channels, 0.005, np.float32)
    source = made.tensor((1, *image), 0.05, -128)
    weights = made.tensor(shape, scale, data=_contiguous(data), axis=3 if is_depthwise else 0, dtype=dtype)
    bias = rng.integers(-5000, 5000, channels, dtype=np.int32)
    biases = made.tensor((channels,), scale * np.float32(0.05), dtype="int32", data=bias)
    output = made.tensor((1, *size, channels), 0.2, -128 if place % 2 else 3)
    options = _options(kind, stride, relu=bool(place % 2))
    return kind, [source, weights, biases], output, options


def _share(rng: np.random.Generator, way: str) -> float:
    """The share of zeros."""
    return rng.uniform(0.93, 0.99) if way == "sparse" else rng.uniform(0.4, 0.93)


def _contiguous(data: NDArray[np.int8]) -> NDArray[np.int8]:
    return np.ascontiguousarray(data)


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
