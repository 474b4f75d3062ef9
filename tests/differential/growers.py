"""How a random graph grows: one function an operator.

Each takes the sketch and a value that it may read, and adds an operator named as the function is; it returns False
where the value does not suit the operator.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
from ai_edge_litert import schema_py_generated as schema
from flatbuffers_by_hand import same_or_valid
from sketch import ACTIVATIONS, Sketch, Value

Grower = Callable[[Sketch, Value], bool]


def _window(sketch: Sketch, value: Value) -> tuple[tuple[int, int], tuple[int, int], str, int, int]:
    """(kernel, stride, padding, output rows, output columns) of a window that fits an image."""
    _, rows, columns, _ = value.shape
    kernel = (sketch.number(1, min(4, rows)), sketch.number(1, min(4, columns)))
    stride = (sketch.number(1, 2), sketch.number(1, 2))
    padding = sketch.pick(("SAME", "VALID"))
    out = [same_or_valid(value.shape[axis + 1], kernel[axis], stride[axis], 1, padding) for axis in (0, 1)]
    return kernel, stride, padding, out[0], out[1]


def _is_image(value: Value) -> bool:
    return len(value.shape) == 4 and value.shape[0] == 1


def linear_weights(sketch: Sketch, value: Value, shape: tuple[int, ...], axis: int) -> tuple[int, int, float]:
    """Add weights and a bias; return their tensors and a scale for the output, at which outputs differ."""
    channels = shape[axis]
    per_channel = channels > 1 and sketch.chance(0.8)
    count = channels if per_channel else 1
    scale = (np.float32(2.0) ** sketch.rng.uniform(-10, -6, count)).astype(np.float32)
    data = sketch.rng.integers(-127, 128, shape, dtype=np.int8)
    weights = sketch.constant(data, scale, axis=axis)
    bias = sketch.constant(sketch.rng.integers(-3000, 3001, channels, dtype=np.int32), scale * np.float32(value.scale))
    spread = float(np.float32(value.scale * float(scale.mean()) * math.sqrt(data.size / channels) * 60))
    return weights, bias, spread


def conv_2d(sketch: Sketch, value: Value) -> bool:
    """A convolution."""
    if not _is_image(value):
        return False
    kernel, stride, padding, rows, columns = _window(sketch, value)
    channels = sketch.number(1, 10)
    weights, bias, scale = linear_weights(sketch, value, (channels, *kernel, value.shape[3]), 0)
    options = schema.Conv2DOptionsT()
    options.padding, (options.strideH, options.strideW) = getattr(schema.Padding, padding), stride
    options.dilationHFactor = options.dilationWFactor = 1
    options.fusedActivationFunction = sketch.pick(ACTIVATIONS)
    output = sketch.value((1, rows, columns, channels), scale)
    sketch.op("CONV_2D", [value, weights, bias], [output], options)
    return True


def depthwise_conv_2d(sketch: Sketch, value: Value) -> bool:
    """A depthwise convolution, depth multiplier 1 or 2."""
    if not _is_image(value):
        return False
    kernel, stride, padding, rows, columns = _window(sketch, value)
    multiplier = sketch.pick((1, 1, 1, 2))
    channels = value.shape[3] * multiplier
    weights, bias, scale = linear_weights(sketch, value, (1, *kernel, channels), 3)
    options = schema.DepthwiseConv2DOptionsT()
    options.padding, (options.strideH, options.strideW) = getattr(schema.Padding, padding), stride
    options.dilationHFactor = options.dilationWFactor = 1
    options.depthMultiplier, options.fusedActivationFunction = multiplier, sketch.pick(ACTIVATIONS)
    output = sketch.value((1, rows, columns, channels), scale)
    sketch.op("DEPTHWISE_CONV_2D", [value, weights, bias], [output], options)
    return True


def fully_connected(sketch: Sketch, value: Value) -> bool:
    """A fully connected layer on vectors."""
    if len(value.shape) != 2:
        return False
    units = sketch.number(1, 16)
    weights, bias, scale = linear_weights(sketch, value, (units, value.shape[1]), 0)
    options = schema.FullyConnectedOptionsT()
    options.fusedActivationFunction = sketch.pick(ACTIVATIONS)
    output = sketch.value((value.shape[0], units), scale)
    sketch.op("FULLY_CONNECTED", [value, weights, bias], [output], options)
    return True


def _pool(kind: str) -> Grower:
    def grow(sketch: Sketch, value: Value) -> bool:
        if not _is_image(value):
            return False
        kernel, stride, padding, rows, columns = _window(sketch, value)
        options = schema.Pool2DOptionsT()
        options.padding, (options.strideH, options.strideW) = getattr(schema.Padding, padding), stride
        options.filterHeight, options.filterWidth = kernel
        options.fusedActivationFunction = sketch.pick(ACTIVATIONS)
        output = sketch.value((1, rows, columns, value.shape[3]), value.scale, value.zero_point)
        sketch.op(kind, [value], [output], options)
        return True

    return grow


average_pool_2d = _pool("AVERAGE_POOL_2D")
max_pool_2d = _pool("MAX_POOL_2D")


def _binary(kind: str, options: type, *, activated: bool) -> Grower:
    def grow(sketch: Sketch, value: Value) -> bool:
        partners = [other for other in sketch.values if other.shape == value.shape]
        made = options()
        if activated:
            made.fusedActivationFunction = sketch.pick(ACTIVATIONS)
        inputs = [value, sketch.pick(partners)]
        if kind in ("MAXIMUM", "MINIMUM"):
            # These only choose one of two integers.
            inputs = [
                value,
                sketch.pick(
                    [other for other in partners if other.scale == value.scale and other.zero_point == value.zero_point]
                ),
            ]
            output = sketch.value(value.shape, value.scale, value.zero_point)
        else:
            output = sketch.value(value.shape)
        sketch.op(kind, inputs, [output], made)
        return True

    return grow


add = _binary("ADD", schema.AddOptionsT, activated=True)
sub = _binary("SUB", schema.SubOptionsT, activated=True)
mul = _binary("MUL", schema.MulOptionsT, activated=True)
maximum = _binary("MAXIMUM", schema.MaximumMinimumOptionsT, activated=False)
minimum = _binary("MINIMUM", schema.MaximumMinimumOptionsT, activated=False)
squared_difference = _binary("SQUARED_DIFFERENCE", schema.SquaredDifferenceOptionsT, activated=False)


def _unary(kind: str, options: type | None, scale: float | None = None, zero_point: int | None = None) -> Grower:
    def grow(sketch: Sketch, value: Value) -> bool:
        made = options() if options is not None else None
        if made is not None and hasattr(made, "alpha"):
            made.alpha = float(sketch.rng.uniform(0, 1))
        sketch.op(kind, [value], [sketch.value(value.shape, scale, zero_point)], made)
        return True

    return grow


logistic = _unary("LOGISTIC", None, 1 / 256, -128)
tanh = _unary("TANH", None, 1 / 128, 0)
hard_swish = _unary("HARD_SWISH", schema.HardSwishOptionsT)
leaky_relu = _unary("LEAKY_RELU", schema.LeakyReluOptionsT)
relu = _unary("RELU", None)
elu = _unary("ELU", None)
quantize = _unary("QUANTIZE", schema.QuantizeOptionsT)


def softmax(sketch: Sketch, value: Value) -> bool:
    """A softmax over the last axis; over 512 elements and more the judges shift by all bits, which C leaves open."""
    if value.shape[-1] >= 512:
        return False
    options = schema.SoftmaxOptionsT()
    options.beta = 1.0
    sketch.op("SOFTMAX", [value], [sketch.value(value.shape, 1 / 256, -128)], options)
    return True


def l2_normalization(sketch: Sketch, value: Value) -> bool:
    """Unit length along the last axis."""
    if len(value.shape) < 2:
        return False
    sketch.op("L2_NORMALIZATION", [value], [sketch.value(value.shape, 1 / 128, 0)], schema.L2NormOptionsT())
    return True


def mean(sketch: Sketch, value: Value) -> bool:
    """A mean over rows and columns."""
    if not _is_image(value):
        return False
    axes = sketch.constant(np.array([1, 2], np.int32))
    options = schema.ReducerOptionsT()
    options.keepDims = sketch.chance()
    channels = value.shape[3]
    shape = (1, 1, 1, channels) if options.keepDims else (1, channels)
    sketch.op("MEAN", [value, axes], [sketch.value(shape, value.scale * float(sketch.rng.uniform(0.3, 1.5)))], options)
    return True


def reshape(sketch: Sketch, value: Value) -> bool:
    """Flat, or with rows and columns as one axis."""
    flat = (1, value.elements)
    shape = flat if not _is_image(value) or sketch.chance() else (1, value.shape[1] * value.shape[2], value.shape[3])
    options = schema.ReshapeOptionsT()
    options.newShape = list(shape)
    target = sketch.constant(np.array(shape, np.int32))
    sketch.op("RESHAPE", [value, target], [sketch.value(shape, value.scale, value.zero_point)], options)
    return True


def concatenation(sketch: Sketch, value: Value) -> bool:
    """Two or three values of one scale along the last axis."""
    options = schema.ConcatenationOptionsT()
    options.axis = len(value.shape) - 1
    options.fusedActivationFunction = schema.ActivationFunctionType.NONE
    same = [
        other
        for other in sketch.values
        if other.shape[:-1] == value.shape[:-1] and (other.scale, other.zero_point) == (value.scale, value.zero_point)
    ]
    inputs = [value, *(sketch.pick(same) for _ in range(sketch.number(1, 2)))]
    shape = (*value.shape[:-1], sum(item.shape[-1] for item in inputs))
    sketch.op("CONCATENATION", list(inputs), [sketch.value(shape, value.scale, value.zero_point)], options)
    return True


def pad(sketch: Sketch, value: Value) -> bool:
    """Zeros round rows and columns."""
    if not _is_image(value):
        return False
    sides = np.zeros((4, 2), np.int32)
    sides[1:3] = sketch.rng.integers(0, 3, (2, 2))
    shape = tuple(size + int(sides[axis].sum()) for axis, size in enumerate(value.shape))
    output = sketch.value(shape, value.scale, value.zero_point)
    sketch.op("PAD", [value, sketch.constant(sides)], [output], schema.PadOptionsT())
    return True


def transpose(sketch: Sketch, value: Value) -> bool:
    """Any order of the axes behind the first."""
    order = np.array([0, *(1 + sketch.rng.permutation(len(value.shape) - 1))], np.int32)
    shape = tuple(value.shape[axis] for axis in order)
    output = sketch.value(shape, value.scale, value.zero_point)
    sketch.op("TRANSPOSE", [value, sketch.constant(order)], [output], schema.TransposeOptionsT())
    return True


def split(sketch: Sketch, value: Value) -> bool:
    """Two halves of the last axis."""
    if value.shape[-1] % 2:
        return False
    options = schema.SplitOptionsT()
    options.numSplits = 2
    shape = (*value.shape[:-1], value.shape[-1] // 2)
    axis = sketch.constant(np.array(len(value.shape) - 1, np.int32))
    halves = [sketch.value(shape, value.scale, value.zero_point) for _ in range(2)]
    sketch.op("SPLIT", [axis, value], halves, options)
    return True


def strided_slice(sketch: Sketch, value: Value) -> bool:
    """Every element, or every second one, of a part."""
    begin = np.array([0, *(sketch.number(0, size - 1) for size in value.shape[1:])], np.int32)
    end = np.array([1 if value.shape[0] == 1 else value.shape[0], *value.shape[1:]], np.int32)
    strides = np.array([1, *(sketch.number(1, 2) for _ in value.shape[1:])], np.int32)
    options = schema.StridedSliceOptionsT()
    shape = tuple(int(-(-(e - b) // s)) for b, e, s in zip(begin, end, strides, strict=True))
    output = sketch.value(shape, value.scale, value.zero_point)
    sketch.op("STRIDED_SLICE", [value, *(sketch.constant(part) for part in (begin, end, strides))], [output], options)
    return True


def resize_nearest_neighbor(sketch: Sketch, value: Value) -> bool:
    """Twice as many rows and columns."""
    return _resize(sketch, value, "RESIZE_NEAREST_NEIGHBOR", schema.ResizeNearestNeighborOptionsT())


def resize_bilinear(sketch: Sketch, value: Value) -> bool:
    """Twice as many rows and columns, between their values."""
    return _resize(sketch, value, "RESIZE_BILINEAR", schema.ResizeBilinearOptionsT())


def _resize(sketch: Sketch, value: Value, kind: str, options: schema.ResizeBilinearOptionsT) -> bool:
    if not _is_image(value):
        return False
    options.halfPixelCenters = sketch.chance()
    size = np.array([2 * value.shape[1], 2 * value.shape[2]], np.int32)
    shape = (1, int(size[0]), int(size[1]), value.shape[3])
    sketch.op(kind, [value, sketch.constant(size)], [sketch.value(shape, value.scale, value.zero_point)], options)
    return True


def batch_matmul(sketch: Sketch, value: Value) -> bool:
    """A matrix times itself, transposed: the scores of attention."""
    if len(value.shape) != 3:
        return False
    options = schema.BatchMatMulOptionsT()
    options.adjY = True
    scale = float(np.float32(value.scale**2 * math.sqrt(value.shape[2]) * 60))
    output = sketch.value((value.shape[0], value.shape[1], value.shape[1]), scale)
    sketch.op("BATCH_MATMUL", [value, value], [output], options)
    return True


def transpose_conv(sketch: Sketch, value: Value) -> bool:
    """Stride 2, twice as many rows and columns."""
    if not _is_image(value):
        return False
    channels, kernel = sketch.number(1, 6), sketch.number(2, 3)
    weights, bias, scale = linear_weights(sketch, value, (channels, kernel, kernel, value.shape[3]), 0)
    shape = (1, 2 * value.shape[1], 2 * value.shape[2], channels)
    options = schema.TransposeConvOptionsT()
    options.padding, options.strideH, options.strideW = schema.Padding.SAME, 2, 2
    target = sketch.constant(np.array(shape, np.int32))
    sketch.op("TRANSPOSE_CONV", [target, weights, value, bias], [sketch.value(shape, scale)], options)
    return True
