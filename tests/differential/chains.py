"""Random networks through which rows can flow: windows, sums, residuals, strides, one tall image; a seed names one."""

from __future__ import annotations

import growers
import numpy as np
from ai_edge_litert import schema_py_generated as schema
from flatbuffers_by_hand import same_or_valid
from sketch import ACTIVATIONS, Sketch, Value

_LONGEST = 9


def random_chain(seed: int) -> bytes:
    """Return a chain of convolutions, pools and residual sums, which may end as classifiers do."""
    sketch = Sketch(np.random.default_rng([seed, 6]))
    value = sketch.value((1, sketch.number(5, 40), sketch.number(2, 7), sketch.number(1, 5)))
    wanted = sketch.number(2, _LONGEST)
    while len(sketch.ops) < wanted and sketch.fits(value):
        grow = sketch.pick(
            (_convolution, _convolution, _depthwise, _depthwise, _pool, _residual, _residual, _pointwise)
        )
        value = grow(sketch, value)
    if sketch.chance(0.4):
        _end(sketch, value)
    return sketch.pack()


def _convolution(sketch: Sketch, value: Value) -> Value:
    return convolution(sketch, value, sketch.number(1, 9), _kernel(sketch), _stride(sketch))


def _pointwise(sketch: Sketch, value: Value) -> Value:
    return convolution(sketch, value, sketch.number(1, 12), (1, 1), (1, 1))


def _depthwise(sketch: Sketch, value: Value) -> Value:
    return depthwise(sketch, value, _kernel(sketch), _stride(sketch), sketch.pick((1, 1, 1, 2)))


def _pool(sketch: Sketch, value: Value) -> Value:
    kind = sketch.pick(("AVERAGE_POOL_2D", "MAX_POOL_2D"))
    kernel, options = _kernel(sketch), schema.Pool2DOptionsT()
    rows, columns = _window(sketch, value, kernel, _stride(sketch), options)
    options.filterHeight, options.filterWidth = kernel
    output = sketch.value((1, rows, columns, value.shape[3]), value.scale, value.zero_point)
    sketch.op(kind, [value], [output], options)
    return output


def _residual(sketch: Sketch, value: Value) -> Value:
    """One to three layers that keep the shape, and a sum with what came in, perhaps through a layer of its own."""
    made, channels = value, value.shape[3]
    for _ in range(sketch.number(1, 3)):
        if sketch.chance():
            made = depthwise(sketch, made, _kernel(sketch), (1, 1), 1, padding="SAME")
        else:
            made = convolution(sketch, made, channels, _kernel(sketch), (1, 1), padding="SAME")
    beside = convolution(sketch, value, channels, (1, 1), (1, 1)) if sketch.chance(0.3) else value
    options = schema.AddOptionsT()
    options.fusedActivationFunction = sketch.pick(ACTIVATIONS)
    output = sketch.value(made.shape, 2 * max(made.scale, beside.scale))
    sketch.op("ADD", [made, beside] if sketch.chance() else [beside, made], [output], options)
    return output


def _end(sketch: Sketch, value: Value) -> None:
    """A mean over the image or all of it in a row, a fully connected layer, a softmax."""
    if sketch.chance():
        growers.mean(sketch, value)
        growers.reshape(sketch, sketch.values[-1])
    else:
        growers.reshape(sketch, value)
    if len(sketch.values[-1].shape) == 2:
        growers.fully_connected(sketch, sketch.values[-1])
        growers.softmax(sketch, sketch.values[-1])


def convolution(
    sketch: Sketch,
    value: Value,
    channels: int,
    kernel: tuple[int, int],
    stride: tuple[int, int],
    padding: str | None = None,
) -> Value:
    """Add a convolution."""
    weights, bias, scale = growers.linear_weights(sketch, value, (channels, *kernel, value.shape[3]), 0)
    options = schema.Conv2DOptionsT()
    rows, columns = _window(sketch, value, kernel, stride, options, padding)
    output = sketch.value((1, rows, columns, channels), scale)
    sketch.op("CONV_2D", [value, weights, bias], [output], options)
    return output


def depthwise(
    sketch: Sketch,
    value: Value,
    kernel: tuple[int, int],
    stride: tuple[int, int],
    multiplier: int,
    padding: str | None = None,
) -> Value:
    """Add a depthwise convolution."""
    channels = value.shape[3] * multiplier
    weights, bias, scale = growers.linear_weights(sketch, value, (1, *kernel, channels), 3)
    options = schema.DepthwiseConv2DOptionsT()
    rows, columns = _window(sketch, value, kernel, stride, options, padding)
    options.depthMultiplier = multiplier
    output = sketch.value((1, rows, columns, channels), scale)
    sketch.op("DEPTHWISE_CONV_2D", [value, weights, bias], [output], options)
    return output


def _kernel(sketch: Sketch) -> tuple[int, int]:
    return sketch.pick(((3, 3), (3, 3), (1, 1), (2, 2), (5, 3), (1, 3), (3, 1), (4, 2)))


def _stride(sketch: Sketch) -> tuple[int, int]:
    return sketch.pick(((1, 1), (1, 1), (2, 2), (2, 1), (3, 2)))


def _window(
    sketch: Sketch,
    value: Value,
    kernel: tuple[int, int],
    stride: tuple[int, int],
    options: schema.Conv2DOptionsT,
    padding: str | None = None,
) -> tuple[int, int]:
    """Fill in the options of a window, SAME where it would not fit else; return rows and columns of the output."""
    fits = kernel[0] <= value.shape[1] and kernel[1] <= value.shape[2]
    padding = padding or (sketch.pick(("SAME", "SAME", "VALID")) if fits else "SAME")
    options.padding, (options.strideH, options.strideW) = getattr(schema.Padding, padding), stride
    options.dilationHFactor = options.dilationWFactor = 1
    options.fusedActivationFunction = sketch.pick(ACTIVATIONS)
    rows, columns = (same_or_valid(value.shape[axis + 1], kernel[axis], stride[axis], 1, padding) for axis in (0, 1))
    return rows, columns
