"""Convolutions, fully connected layers, softmax."""

from __future__ import annotations

import numpy as np
from ai_edge_litert import schema_py_generated as schema
from flatbuffers_by_hand import ModelByHand

from cases._random import (
    ACTIVATIONS,
    output_size,
    random_scale,
    random_window,
    random_zero_point,
    set_window,
    weights_and_bias,
)


def conv_2d(rng: np.random.Generator) -> bytes:
    """A convolution with random sizes, strides, dilation, padding and fused activation."""
    model, window = ModelByHand(), random_window(rng, dilated=True)
    channels_in, channels_out = (int(value) for value in rng.integers(1, 11, 2))
    input_scale = random_scale(rng)
    source = model.tensor((1, *map(int, window["size"]), channels_in), input_scale, random_zero_point(rng))
    shape = (channels_out, *map(int, window["kernel"]), channels_in)
    per_channel = channels_out > 1 and bool(rng.integers(0, 4))
    weights, bias, scale = weights_and_bias(model, rng, shape, 0, input_scale, per_channel=per_channel)
    output = model.tensor(
        (1, output_size(window, 0), output_size(window, 1), channels_out), scale, random_zero_point(rng)
    )
    options = schema.Conv2DOptionsT()
    set_window(options, window, rng)
    options.dilationHFactor, options.dilationWFactor = (int(value) for value in window["dilation"])
    return model.pack("CONV_2D", [source, weights, bias], output, options, [source])


def depthwise_conv_2d(rng: np.random.Generator) -> bytes:
    """A depthwise convolution with a depth multiplier of 1 to 3."""
    model, window = ModelByHand(), random_window(rng, dilated=True)
    channels_in, multiplier = int(rng.integers(1, 11)), int(rng.integers(1, 4))
    channels_out = channels_in * multiplier
    input_scale = random_scale(rng)
    source = model.tensor((1, *map(int, window["size"]), channels_in), input_scale, random_zero_point(rng))
    shape = (1, *map(int, window["kernel"]), channels_out)
    per_channel = channels_out > 1
    weights, bias, scale = weights_and_bias(model, rng, shape, 3, input_scale, per_channel=per_channel)
    output = model.tensor(
        (1, output_size(window, 0), output_size(window, 1), channels_out), scale, random_zero_point(rng)
    )
    options = schema.DepthwiseConv2DOptionsT()
    set_window(options, window, rng)
    options.depthMultiplier = multiplier
    options.dilationHFactor, options.dilationWFactor = (int(value) for value in window["dilation"])
    return model.pack("DEPTHWISE_CONV_2D", [source, weights, bias], output, options, [source])


def fully_connected(rng: np.random.Generator) -> bytes:
    """A fully connected layer, per channel or per tensor, of one vector or a few."""
    model = ModelByHand()
    vectors, depth, units = int(rng.choice([1, 1, 3])), int(rng.integers(1, 60)), int(rng.integers(1, 14))
    input_scale = random_scale(rng)
    source = model.tensor((vectors, depth), input_scale, random_zero_point(rng))
    per_channel = units > 1 and bool(rng.integers(0, 2))
    weights, bias, scale = weights_and_bias(model, rng, (units, depth), 0, input_scale, per_channel=per_channel)
    output = model.tensor((vectors, units), scale, random_zero_point(rng))
    options = schema.FullyConnectedOptionsT()
    options.fusedActivationFunction = int(rng.choice(ACTIVATIONS))
    inputs = [source, weights, bias] if rng.integers(0, 3) else [source, weights, -1]
    return model.pack("FULLY_CONNECTED", inputs, output, options, [source])


def softmax(rng: np.random.Generator) -> bytes:
    """A softmax over 1 to 20 classes, of one vector or a few."""
    model = ModelByHand()
    shape = (int(rng.integers(1, 4)), int(rng.integers(1, 21)))
    source = model.tensor(shape, float(np.float32(2.0 ** rng.uniform(-8, 1))), random_zero_point(rng))
    output = model.tensor(shape, 1 / 256, -128)
    options = schema.SoftmaxOptionsT()
    options.beta = float(rng.choice([1.0, 0.5, 2.0]))
    return model.pack("SOFTMAX", [source], output, options, [source])
