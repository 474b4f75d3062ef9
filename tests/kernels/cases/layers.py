"""Convolutions, fully connected layers, softmax."""

from __future__ import annotations

import numpy as np
from ai_edge_litert import schema_py_generated as schema
from flatbuffers_by_hand import ModelByHand

from cases import Case
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
    return _conv_2d(rng)


def conv_2d__grouped(rng: np.random.Generator) -> bytes:
    """Each output channel sees the channels of its group."""
    return _conv_2d(rng, groups=int(rng.integers(2, 5)))


def conv_2d__int4(rng: np.random.Generator) -> bytes:
    """Weights of four bits, in one group or two."""
    return _conv_2d(rng, groups=int(rng.integers(1, 3)), dtype="int4")


def conv_2d__int16(rng: np.random.Generator) -> bytes:
    """Activations of 16 bits, a bias of 64, in one group or two."""
    return _conv_2d(rng, groups=int(rng.integers(1, 3)), activations="int16", bias_dtype="int64")


def conv_2d__int16_bias_of_32_bits(rng: np.random.Generator) -> bytes:
    """Activations of 16 bits, accumulators of 32."""
    return _conv_2d(rng, activations="int16")


def _conv_2d(
    rng: np.random.Generator,
    *,
    groups: int = 1,
    activations: str = "int8",
    dtype: str = "int8",
    bias_dtype: str = "int32",
) -> bytes:
    model, window = ModelByHand(), random_window(rng, dilated=True)
    channels_in, channels_out = (int(value) for value in rng.integers(1, 11, 2))
    channels_in, channels_out = channels_in * groups, channels_out * groups
    input_scale = random_scale(rng) if activations == "int8" else random_scale(rng) / 256
    shape = (1, *map(int, window["size"]), channels_in)
    source = model.tensor(shape, input_scale, _zero_point(rng, activations), dtype=activations)
    shape = (channels_out, *map(int, window["kernel"]), channels_in // groups)
    per_channel = channels_out > 1 and bool(rng.integers(0, 4))
    weights, bias, scale = weights_and_bias(
        model, rng, shape, 0, input_scale, per_channel=per_channel, dtype=dtype, bias_dtype=bias_dtype
    )
    shape = (1, output_size(window, 0), output_size(window, 1), channels_out)
    output = model.tensor(shape, scale, _zero_point(rng, activations), dtype=activations)
    options = schema.Conv2DOptionsT()
    set_window(options, window, rng)
    options.dilationHFactor, options.dilationWFactor = (int(value) for value in window["dilation"])
    inputs = [source, weights, bias] if rng.integers(0, 5) or bias_dtype != "int32" else [source, weights, -1]
    if activations == "int16" and bias_dtype == "int32":
        options.quantizedBiasType = schema.TensorType.INT32
    return model.pack("CONV_2D", inputs, output, options, [source])


def _zero_point(rng: np.random.Generator, activations: str) -> int:
    return random_zero_point(rng) if activations == "int8" else 0


def depthwise_conv_2d(rng: np.random.Generator) -> bytes:
    """A depthwise convolution with a depth multiplier of 1 to 3."""
    return _depthwise_conv_2d(rng)


def depthwise_conv_2d__int4(rng: np.random.Generator) -> bytes:
    """Weights of four bits."""
    return _depthwise_conv_2d(rng, dtype="int4")


def depthwise_conv_2d__int16(rng: np.random.Generator) -> bytes:
    """Activations of 16 bits, a bias of 64."""
    return _depthwise_conv_2d(rng, activations="int16", bias_dtype="int64")


def _depthwise_conv_2d(
    rng: np.random.Generator, *, activations: str = "int8", dtype: str = "int8", bias_dtype: str = "int32"
) -> bytes:
    model, window = ModelByHand(), random_window(rng, dilated=True)
    channels_in, multiplier = int(rng.integers(1, 11)), int(rng.integers(1, 4))
    channels_out = channels_in * multiplier
    input_scale = random_scale(rng) if activations == "int8" else random_scale(rng) / 256
    shape = (1, *map(int, window["size"]), channels_in)
    source = model.tensor(shape, input_scale, _zero_point(rng, activations), dtype=activations)
    shape = (1, *map(int, window["kernel"]), channels_out)
    per_channel = channels_out > 1 and bool(rng.integers(0, 4))
    weights, bias, scale = weights_and_bias(
        model, rng, shape, 3, input_scale, per_channel=per_channel, dtype=dtype, bias_dtype=bias_dtype
    )
    shape = (1, output_size(window, 0), output_size(window, 1), channels_out)
    output = model.tensor(shape, scale, _zero_point(rng, activations), dtype=activations)
    options = schema.DepthwiseConv2DOptionsT()
    set_window(options, window, rng)
    options.depthMultiplier = multiplier
    options.dilationHFactor, options.dilationWFactor = (int(value) for value in window["dilation"])
    return model.pack("DEPTHWISE_CONV_2D", [source, weights, bias], output, options, [source])


def transpose_conv(rng: np.random.Generator) -> bytes:
    """A transposed convolution, its kernel larger or smaller than its strides."""
    return _transpose_conv(rng)


def transpose_conv__int16(rng: np.random.Generator) -> bytes:
    """Activations of 16 bits, a bias of 64."""
    return _transpose_conv(rng, activations="int16", bias_dtype="int64")


def _transpose_conv(rng: np.random.Generator, *, activations: str = "int8", bias_dtype: str = "int32") -> bytes:
    model, options = ModelByHand(), schema.TransposeConvOptionsT()
    kernel, stride, size = rng.integers(1, 6, 2), rng.integers(1, 4, 2), rng.integers(1, 6, 2)
    channels_in, channels_out = (int(value) for value in rng.integers(1, 11, 2))
    is_same = bool(rng.integers(0, 2))
    sizes = size * stride if is_same else (size - 1) * stride + np.maximum(kernel, stride)
    options.padding = schema.Padding.SAME if is_same else schema.Padding.VALID
    options.strideH, options.strideW = (int(value) for value in stride)
    options.fusedActivationFunction = int(rng.choice(ACTIVATIONS))
    input_scale = random_scale(rng) if activations == "int8" else random_scale(rng) / 256
    shape = (1, *map(int, size), channels_in)
    source = model.tensor(shape, input_scale, _zero_point(rng, activations), dtype=activations)
    per_channel, shape = channels_out > 1 and bool(rng.integers(0, 4)), (channels_out, *map(int, kernel), channels_in)
    weights, bias, scale = weights_and_bias(
        model, rng, shape, 0, input_scale, per_channel=per_channel, bias_dtype=bias_dtype
    )
    shape = (1, *map(int, sizes), channels_out)
    target = model.tensor((4,), dtype="int32", data=np.array(shape, np.int32))
    output = model.tensor(shape, scale, _zero_point(rng, activations), dtype=activations)
    inputs = [target, weights, source, bias] if rng.integers(0, 3) else [target, weights, source]
    return model.pack("TRANSPOSE_CONV", inputs, output, options, [source])


def fully_connected(rng: np.random.Generator) -> bytes:
    """A fully connected layer, per channel or per tensor, of one vector or a few."""
    vectors, depth, units = int(rng.choice([1, 1, 3])), int(rng.integers(1, 60)), int(rng.integers(1, 14))
    return _fully_connected(rng, (vectors, depth), (vectors, units), per_channel=bool(rng.integers(0, 2)))


def fully_connected__ranks(rng: np.random.Generator) -> bytes:
    """Inputs of rank 3 and 4, flattened or not."""
    sizes = tuple(int(value) for value in rng.integers(1, 5, int(rng.integers(2, 4))))
    depth, units, keeps = int(rng.integers(1, 30)), int(rng.integers(1, 14)), bool(rng.integers(0, 2))
    after = (*sizes, units) if keeps else (int(np.prod(sizes)), units)
    return _fully_connected(rng, (*sizes, depth), after, per_channel=bool(rng.integers(0, 2)))


def fully_connected__int4(rng: np.random.Generator) -> bytes:
    """Weights of four bits, with one scale: TFLM takes no more there."""
    vectors, depth, units = int(rng.choice([1, 1, 3])), int(rng.integers(1, 60)), int(rng.integers(1, 14))
    return _fully_connected(rng, (vectors, depth), (vectors, units), dtype="int4")


def fully_connected__int4_per_channel(rng: np.random.Generator) -> bytes:
    """Weights of four bits, with a scale for each unit: TFLM refuses them."""
    depth, units = (int(value) for value in rng.integers(2, 14, 2))
    return _fully_connected(rng, (1, depth), (1, units), dtype="int4", per_channel=True)


def fully_connected__int16(rng: np.random.Generator) -> bytes:
    """Activations of 16 bits, a bias of 64; depths beyond what 32 bits can add up."""
    vectors, depth, units = int(rng.choice([1, 1, 3])), int(rng.integers(1, 60)), int(rng.integers(1, 14))
    depth = depth if rng.integers(0, 4) else 8 * depth + 200
    per_channel = bool(rng.integers(0, 2))
    shapes = (1, vectors, depth), (1, vectors, units)
    return _fully_connected(rng, *shapes, per_channel=per_channel, activations="int16", bias_dtype="int64")


def fully_connected__int16_bias_of_32_bits(rng: np.random.Generator) -> bytes:
    """Activations of 16 bits, accumulators of 32."""
    depth, units = int(rng.integers(1, 60)), int(rng.integers(1, 14))
    return _fully_connected(rng, (1, depth), (1, units), per_channel=bool(rng.integers(0, 2)), activations="int16")


def _fully_connected(
    rng: np.random.Generator,
    before: tuple[int, ...],
    after: tuple[int, ...],
    *,
    per_channel: bool = False,
    activations: str = "int8",
    dtype: str = "int8",
    bias_dtype: str = "int32",
) -> bytes:
    model = ModelByHand()
    depth, units = before[-1], after[-1]
    input_scale = random_scale(rng) if activations == "int8" else random_scale(rng) / 256
    source = model.tensor(before, input_scale, _zero_point(rng, activations), dtype=activations)
    per_channel = per_channel and units > 1
    weights, bias, scale = weights_and_bias(
        model, rng, (units, depth), 0, input_scale, per_channel=per_channel, dtype=dtype, bias_dtype=bias_dtype
    )
    output = model.tensor(after, scale, _zero_point(rng, activations), dtype=activations)
    options = schema.FullyConnectedOptionsT()
    options.fusedActivationFunction = int(rng.choice(ACTIVATIONS))
    options.keepNumDims = len(before) == len(after)
    if activations == "int16" and bias_dtype == "int32":
        options.quantizedBiasType = schema.TensorType.INT32
    inputs = [source, weights, bias] if rng.integers(0, 3) else [source, weights, -1]
    return model.pack("FULLY_CONNECTED", inputs, output, options, [source])


def softmax(rng: np.random.Generator) -> bytes:
    """A softmax over 1 to 20 classes, of one vector or a few."""
    return _softmax(rng, (int(rng.integers(1, 4)), int(rng.integers(1, 21))), "int8", ("int8", 1 / 256, -128))


def softmax__ranks(rng: np.random.Generator) -> bytes:
    """One to four dimensions."""
    shape = tuple(int(value) for value in rng.integers(1, 7, int(rng.integers(1, 5))))
    return _softmax(rng, shape, "int8", ("int8", 1 / 256, -128))


def softmax__int8_to_int16(rng: np.random.Generator) -> bytes:
    """An output of 16 bits."""
    shape = (1, *(int(value) for value in rng.integers(1, 12, 2)))
    return _softmax(rng, shape, "int8", ("int16", 1 / 65536, -32768))


def softmax__int16(rng: np.random.Generator) -> bytes:
    """16 bits in and out; many classes, so that the sum of exp takes many values."""
    shape = (1, *(int(value) for value in rng.integers(1, 80, 2)))
    return _softmax(rng, shape, "int16", ("int16", 1 / 32768, 0))


def _softmax(rng: np.random.Generator, shape: tuple[int, ...], dtype: str, output: tuple[str, float, int]) -> bytes:
    model, options = ModelByHand(), schema.SoftmaxOptionsT()
    scale = float(np.float32(2.0 ** rng.uniform(-8, 1) / (256 if dtype == "int16" else 1)))
    source = model.tensor(shape, scale, _zero_point(rng, dtype), dtype=dtype)
    target_dtype, target_scale, zero_point = output
    target = model.tensor(shape, target_scale, zero_point, dtype=target_dtype)
    options.beta = float(rng.choice([1.0, 0.5, 2.0]))
    return model.pack("SOFTMAX", [source], target, options, [source])


def log_softmax(rng: np.random.Generator) -> bytes:
    """The logarithm of a softmax over 1 to 40 classes."""
    model = ModelByHand()
    shape = tuple(int(value) for value in (*rng.integers(1, 4, int(rng.integers(0, 3))), rng.integers(1, 41)))
    source = model.tensor(shape, float(np.float32(2.0 ** rng.uniform(-8, 1))), random_zero_point(rng))
    output = model.tensor(shape, 1 / 16, 127)
    return model.pack("LOG_SOFTMAX", [source], output, schema.LogSoftmaxOptionsT(), [source])


def l2_normalization(rng: np.random.Generator) -> Case:
    """Vectors of 1 to 40 elements, some with a length of nearly nothing."""
    model = ModelByHand()
    shape = tuple(int(value) for value in (*rng.integers(1, 4, int(rng.integers(0, 4))), rng.integers(1, 41)))
    zero_point = random_zero_point(rng)
    source = model.tensor(shape, random_scale(rng), zero_point)
    output = model.tensor(shape, 1 / 128, 0)
    ranges = {0: (max(zero_point - 1, -128), min(zero_point + 2, 127))} if rng.integers(0, 4) == 0 else {}
    return Case(model.pack("L2_NORMALIZATION", [source], output, schema.L2NormOptionsT(), [source]), ranges)
