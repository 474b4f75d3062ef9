"""Random one-operator models, one function an operator; a seed names a case."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from ai_edge_litert import schema_py_generated as schema
from flatbuffers_by_hand import ModelByHand, same_or_valid

_PADDING = {"SAME": schema.Padding.SAME, "VALID": schema.Padding.VALID}
_ACTIVATIONS = (
    schema.ActivationFunctionType.NONE,
    schema.ActivationFunctionType.RELU,
    schema.ActivationFunctionType.RELU6,
    schema.ActivationFunctionType.RELU_N1_TO_1,
)


def _scale(rng: np.random.Generator) -> float:
    return float(np.float32(2.0 ** rng.uniform(-8, -2)))


def _zero_point(rng: np.random.Generator) -> int:
    return int(rng.integers(-128, 128))


def _window(rng: np.random.Generator, dilated: bool) -> dict[str, Any]:
    """Sizes of an image, of a kernel, and strides that fit each other."""
    kernel = rng.integers(1, 5, 2)
    dilation = rng.integers(1, 3, 2) if dilated else np.ones(2, int)
    stride = np.ones(2, int) if (dilation > 1).any() else rng.integers(1, 4, 2)
    size = (kernel - 1) * dilation + 1 + rng.integers(0, 6, 2)
    return {
        "kernel": kernel,
        "dilation": dilation,
        "stride": stride,
        "size": size,
        "padding": rng.choice(["SAME", "VALID"]),
    }


def _out(window: dict[str, Any], axis: int) -> int:
    size, kernel, stride, dilation = (int(window[name][axis]) for name in ("size", "kernel", "stride", "dilation"))
    return same_or_valid(size, kernel, stride, dilation, str(window["padding"]))


def _set_window(options: Any, window: dict[str, Any], rng: np.random.Generator) -> None:
    options.padding = _PADDING[str(window["padding"])]
    options.strideH, options.strideW = (int(value) for value in window["stride"])
    options.fusedActivationFunction = int(rng.choice(_ACTIVATIONS))


def _weights_and_bias(
    model: ModelByHand,
    rng: np.random.Generator,
    shape: tuple[int, ...],
    axis: int,
    input_scale: float,
    *,
    per_channel: bool,
) -> tuple[int, int, float]:
    """Add weights and a bias; return their tensors and an output scale that uses the int8 range."""
    channels = shape[axis]
    data = rng.integers(-127, 128, shape, dtype=np.int8)
    scale = np.float32(2.0) ** rng.uniform(-10, -6, channels if per_channel else 1).astype(np.float32)
    weights = model.tensor(shape, scale, data=data, axis=axis)
    bias_data = rng.integers(-2000, 2001, channels, dtype=np.int32)
    bias = model.tensor((channels,), scale * np.float32(input_scale), dtype="int32", data=bias_data)
    depth = data.size / channels
    return weights, bias, float(np.float32(input_scale * float(scale.mean()) * np.sqrt(depth) * 60))


def conv_2d(rng: np.random.Generator) -> bytes:
    """A convolution with random sizes, strides, dilation, padding and fused activation."""
    model, window = ModelByHand(), _window(rng, dilated=True)
    channels_in, channels_out = (int(value) for value in rng.integers(1, 11, 2))
    input_scale = _scale(rng)
    source = model.tensor((1, *map(int, window["size"]), channels_in), input_scale, _zero_point(rng))
    shape = (channels_out, *map(int, window["kernel"]), channels_in)
    per_channel = channels_out > 1 and bool(rng.integers(0, 4))
    weights, bias, scale = _weights_and_bias(model, rng, shape, 0, input_scale, per_channel=per_channel)
    output = model.tensor((1, _out(window, 0), _out(window, 1), channels_out), scale, _zero_point(rng))
    options = schema.Conv2DOptionsT()
    _set_window(options, window, rng)
    options.dilationHFactor, options.dilationWFactor = (int(value) for value in window["dilation"])
    return model.pack("CONV_2D", [source, weights, bias], output, options, [source])


def depthwise_conv_2d(rng: np.random.Generator) -> bytes:
    """A depthwise convolution with a depth multiplier of 1 to 3."""
    model, window = ModelByHand(), _window(rng, dilated=True)
    channels_in, multiplier = int(rng.integers(1, 11)), int(rng.integers(1, 4))
    channels_out = channels_in * multiplier
    input_scale = _scale(rng)
    source = model.tensor((1, *map(int, window["size"]), channels_in), input_scale, _zero_point(rng))
    shape = (1, *map(int, window["kernel"]), channels_out)
    per_channel = channels_out > 1
    weights, bias, scale = _weights_and_bias(model, rng, shape, 3, input_scale, per_channel=per_channel)
    output = model.tensor((1, _out(window, 0), _out(window, 1), channels_out), scale, _zero_point(rng))
    options = schema.DepthwiseConv2DOptionsT()
    _set_window(options, window, rng)
    options.depthMultiplier = multiplier
    options.dilationHFactor, options.dilationWFactor = (int(value) for value in window["dilation"])
    return model.pack("DEPTHWISE_CONV_2D", [source, weights, bias], output, options, [source])


def fully_connected(rng: np.random.Generator) -> bytes:
    """A fully connected layer, per channel or per tensor, of one vector or a few."""
    model = ModelByHand()
    vectors, depth, units = int(rng.choice([1, 1, 3])), int(rng.integers(1, 60)), int(rng.integers(1, 14))
    input_scale = _scale(rng)
    source = model.tensor((vectors, depth), input_scale, _zero_point(rng))
    per_channel = units > 1 and bool(rng.integers(0, 2))
    weights, bias, scale = _weights_and_bias(model, rng, (units, depth), 0, input_scale, per_channel=per_channel)
    output = model.tensor((vectors, units), scale, _zero_point(rng))
    options = schema.FullyConnectedOptionsT()
    options.fusedActivationFunction = int(rng.choice(_ACTIVATIONS))
    inputs = [source, weights, bias] if rng.integers(0, 3) else [source, weights, -1]
    return model.pack("FULLY_CONNECTED", inputs, output, options, [source])


def add(rng: np.random.Generator) -> bytes:
    """A sum of two tensors with scales of their own; the model adds its input's two halves of one shape."""
    model = ModelByHand()
    shape = (1, *(int(value) for value in rng.integers(1, 7, 3)))
    source = model.tensor(shape, _scale(rng), _zero_point(rng))
    output = model.tensor(shape, _scale(rng), _zero_point(rng))
    options = schema.AddOptionsT()
    options.fusedActivationFunction = int(rng.choice(_ACTIVATIONS))
    return model.pack("ADD", [source, source], output, options, [source])


def _pool(kind: str) -> Callable[[np.random.Generator], bytes]:
    def make(rng: np.random.Generator) -> bytes:
        model, window = ModelByHand(), _window(rng, dilated=False)
        channels, scale, zero_point = int(rng.integers(1, 9)), _scale(rng), _zero_point(rng)
        source = model.tensor((1, *map(int, window["size"]), channels), scale, zero_point)
        output = model.tensor((1, _out(window, 0), _out(window, 1), channels), scale, zero_point)
        options = schema.Pool2DOptionsT()
        _set_window(options, window, rng)
        options.filterHeight, options.filterWidth = (int(value) for value in window["kernel"])
        return model.pack(kind, [source], output, options, [source])

    return make


def mean(rng: np.random.Generator) -> bytes:
    """A mean over rows and columns with another scale behind it."""
    model = ModelByHand()
    shape = (1, *(int(value) for value in rng.integers(1, 9, 3)))
    scale = _scale(rng)
    source = model.tensor(shape, scale, _zero_point(rng))
    axes = model.tensor((2,), dtype="int32", data=np.array([1, 2], np.int32))
    output = model.tensor((1, shape[3]), scale * float(rng.uniform(0.3, 1.5)), _zero_point(rng))
    options = schema.ReducerOptionsT()
    options.keepDims = False
    return model.pack("MEAN", [source, axes], output, options, [source])


def softmax(rng: np.random.Generator) -> bytes:
    """A softmax over 1 to 20 classes, of one vector or a few."""
    model = ModelByHand()
    shape = (int(rng.integers(1, 4)), int(rng.integers(1, 21)))
    source = model.tensor(shape, float(np.float32(2.0 ** rng.uniform(-8, 1))), _zero_point(rng))
    output = model.tensor(shape, 1 / 256, -128)
    options = schema.SoftmaxOptionsT()
    options.beta = float(rng.choice([1.0, 0.5, 2.0]))
    return model.pack("SOFTMAX", [source], output, options, [source])


def reshape(rng: np.random.Generator) -> bytes:
    """A reshape alone: the output is the input."""
    model = ModelByHand()
    shape = (1, *(int(value) for value in rng.integers(1, 6, 3)))
    scale, zero_point = _scale(rng), _zero_point(rng)
    flat = (1, shape[1] * shape[2] * shape[3])
    source = model.tensor(shape, scale, zero_point)
    target = model.tensor((2,), dtype="int32", data=np.array(flat, np.int32))
    output = model.tensor(flat, scale, zero_point)
    return model.pack("RESHAPE", [source, target], output, schema.ReshapeOptionsT(), [source])


CASES: dict[str, Callable[[np.random.Generator], bytes]] = {
    "add": add,
    "average_pool_2d": _pool("AVERAGE_POOL_2D"),
    "conv_2d": conv_2d,
    "depthwise_conv_2d": depthwise_conv_2d,
    "fully_connected": fully_connected,
    "max_pool_2d": _pool("MAX_POOL_2D"),
    "mean": mean,
    "reshape": reshape,
    "softmax": softmax,
}
