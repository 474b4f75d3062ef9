"""Convolutions of one layer, with random weights, of a size that the caller says."""

from __future__ import annotations

import numpy as np
from ai_edge_litert import schema_py_generated as schema
from cases._random import PADDING
from flatbuffers_by_hand import ModelByHand, same_or_valid
from form_cases import coarser

INPUT_SCALE, OUTPUT_SCALE = 0.05, 0.2


def convolution(
    kind: str,
    image: tuple[int, int, int],
    kernel: tuple[int, int],
    channels: int,
    stride: int,
    padding: str,
    way: str = "",
) -> bytes:
    """Return a CONV_2D or DEPTHWISE_CONV_2D on an image of (rows, columns, input channels).

    `way`: what the weights of a CONV_2D are like, as `form_cases.coarser` has it.
    """
    rng = np.random.default_rng([*image, *kernel, channels, stride])
    model = ModelByHand()
    is_depthwise = kind == "DEPTHWISE_CONV_2D"
    shape = (1, *kernel, channels) if is_depthwise else (channels, *kernel, image[2])
    source = model.tensor((1, *image), INPUT_SCALE, int(rng.integers(-128, 128)))
    scale = rng.uniform(0.001, 0.01, channels).astype(np.float32)
    data = rng.integers(-127, 128, shape, dtype=np.int8)
    if way:
        data = coarser(data.reshape(channels, -1), way, np.random.default_rng(channels)).reshape(shape)
    weights = model.tensor(shape, scale, data=data, axis=3 if is_depthwise else 0)
    bias = rng.integers(-5000, 5000, channels, dtype=np.int32)
    biases = model.tensor((channels,), scale * INPUT_SCALE, dtype="int32", data=bias)
    rows, columns = (same_or_valid(image[axis], kernel[axis], stride, 1, padding) for axis in range(2))
    output = model.tensor((1, rows, columns, channels), OUTPUT_SCALE, int(rng.integers(-128, 128)))
    options = schema.DepthwiseConv2DOptionsT() if is_depthwise else schema.Conv2DOptionsT()
    options.padding, options.strideH, options.strideW = PADDING[padding], stride, stride
    options.dilationHFactor = options.dilationWFactor = 1
    if is_depthwise:
        options.depthMultiplier = 1
    return model.pack(kind, [source, weights, biases], output, options, [source])
