"""Single layers at the limits of what the engine takes; a seed names a layer.

The cases of `cases` show that each operator is computed as the judge does. These go where a kernel for one feature of
cores may go wrong: numbers of channels beside the width of its registers, windows at every border, factors and biases
at both ends of their ranges, inputs that saturate.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from ai_edge_litert import schema_py_generated as schema
from cases._random import ACTIVATIONS, PADDING
from flatbuffers_by_hand import ModelByHand, same_or_valid
from numpy.typing import NDArray

# What a layer multiplies at most: emulated cores run thousands of them.
_MOST_MACS = 12_000
_MOST_ELEMENTS = 4000
_INT32_MAX = 2**31 - 1
_CHANNELS = (1, 2, 3, 4, 4, 8, 8, 12, 16, 16, 20, 24, 32, 40)
_KERNELS = ((1, 1), (1, 1), (1, 1), (3, 3), (3, 3), (3, 3), (10, 4), (5, 5), (2, 2), (1, 3), (3, 1), (1, 8), (7, 1))


@dataclass(frozen=True)
class LayerCase:
    """A model of one layer, and what it is asked.

    Attributes:
        name: the operator and the seed, for messages.
        flatbuffer: the model.
        samples: for each inference the bytes of all inputs.
    """

    name: str
    flatbuffer: bytes
    samples: tuple[bytes, ...]


@dataclass(frozen=True)
class _Window:
    """How a convolution or a pool looks at an image; pairs are (rows, columns)."""

    size: tuple[int, int]
    kernel: tuple[int, int]
    stride: tuple[int, int]
    dilation: tuple[int, int]
    padding: str

    @property
    def output(self) -> tuple[int, int]:
        sides = zip(self.size, self.kernel, self.stride, self.dilation, strict=True)
        rows, columns = (same_or_valid(*side, self.padding) for side in sides)
        return rows, columns

    @property
    def taps(self) -> int:
        return self.kernel[0] * self.kernel[1]

    def fill(self, options: Any) -> None:
        options.padding = PADDING[self.padding]
        options.strideH, options.strideW = self.stride


def layer_case(seed: int) -> LayerCase:
    """Return a layer; one seed after another goes round the operators."""
    kind, make = _MAKERS[seed % len(_MAKERS)]
    rng = np.random.default_rng([seed, 11])
    model = ModelByHand()
    flatbuffer, inputs = make(model, rng)
    samples = tuple(_sample(model, rng, inputs, place) for place in range(3))
    return LayerCase(f"{kind.lower()}, seed {seed}", flatbuffer, samples)


def _sample(model: ModelByHand, rng: np.random.Generator, inputs: list[int], place: int) -> bytes:
    """Random codes first, then such as drive sums to their ends."""
    return b"".join(_codes(model.tensors[index], rng, "random" if place < 2 else "") for index in inputs)


def _codes(tensor: Any, rng: np.random.Generator, way: str) -> bytes:
    elements = math.prod(tensor.shape)
    zero_point = int(tensor.quantization.zeroPoint[0])
    way = way or str(rng.choice(["lowest", "highest", "zero", "both", "near", "random"]))
    made = {
        "random": lambda: rng.integers(-128, 128, elements),
        "lowest": lambda: np.full(elements, -128),
        "highest": lambda: np.full(elements, 127),
        "zero": lambda: np.full(elements, zero_point),
        "both": lambda: rng.choice([-128, 127], elements),
        "near": lambda: np.clip(zero_point + rng.integers(-2, 3, elements), -128, 127),
    }[way]()
    return made.astype(np.int8).tobytes()


def _number(rng: np.random.Generator, low: int, high: int) -> int:
    """A whole number, both ends included."""
    return int(rng.integers(low, high + 1))


def _pick(rng: np.random.Generator, options: Any) -> Any:
    return options[int(rng.integers(len(options)))]


def _power(rng: np.random.Generator, low: int, high: int) -> float:
    return 2.0 ** _number(rng, low, high)


def _zero_point(rng: np.random.Generator) -> int:
    return _pick(rng, (-128, 127, 0, _number(rng, -128, 127), _number(rng, -128, 127)))


def _activation(rng: np.random.Generator) -> int:
    return _pick(rng, (*ACTIVATIONS, schema.ActivationFunctionType.NONE, schema.ActivationFunctionType.NONE))


def _channels(rng: np.random.Generator) -> int:
    return _pick(rng, _CHANNELS) if rng.integers(2) else _number(rng, 1, 40)


def _window(rng: np.random.Generator, kernels: Any = _KERNELS, *, dilated: bool = True) -> _Window:
    kernel = _pick(rng, kernels) if rng.integers(4) else (_number(rng, 1, 5), _number(rng, 1, 5))
    stride = _pick(rng, ((1, 1), (1, 1), (1, 1), (2, 2), (2, 2), (_number(rng, 1, 3), _number(rng, 1, 3))))
    dilation = (_number(rng, 1, 3), _number(rng, 1, 3)) if dilated and rng.integers(6) == 0 else (1, 1)
    padding = _pick(rng, ("SAME", "VALID"))
    reach = [(taps - 1) * step + 1 for taps, step in zip(kernel, dilation, strict=True)]
    # With SAME a window may be larger than the image.
    sizes = [_number(rng, 1, 12) if padding == "SAME" else length + _number(rng, 0, 7) for length in reach]
    return _Window((sizes[0], sizes[1]), kernel, stride, dilation, padding)


def _fitting(window: _Window, macs_a_pixel: int, channels: int) -> _Window:
    """Take rows and columns away until the layer is small."""
    rows, columns = window.size
    sides = zip(window.kernel, window.dilation, strict=True)
    least = [1 if window.padding == "SAME" else (taps - 1) * step + 1 for taps, step in sides]
    while True:
        made = _Window((rows, columns), window.kernel, window.stride, window.dilation, window.padding)
        pixels = math.prod(made.output)
        least = [
            1 if window.padding == "SAME" else (k - 1) * d + 1 for k, d in zip(made.kernel, made.dilation, strict=True)
        ]
        small = pixels * macs_a_pixel <= _MOST_MACS and rows * columns * channels <= _MOST_ELEMENTS
        if small or (rows, columns) == tuple(least):
            return made
        rows, columns = max(rows - 1, least[0]), max(columns - 1, least[1])


def _scales(rng: np.random.Generator, count: int, depth: int) -> tuple[float, NDArray[np.float32], float]:
    """Scales of input, weights (count) and output: mostly such that outputs differ, else factors at their limits.

    Factors are multiplier * 2^(shift - 31): the least multiplier, 2^30, stands for a power of two; the greatest,
    2^31 - 1, for (1 + 2^-15)(1 - 2^-16) / (1 + 2^-16) of one.
    """
    before, after = _power(rng, -8, -2), _power(rng, -8, 1)
    way = _pick(rng, ("least", "greatest", "any", "any"))
    usual = -round(math.log2(100 * math.sqrt(depth)))
    lowest, highest = _pick(rng, ((usual - 1, usual + 1),) * 5 + ((-31, 3), (-31, -16), (-3, 5)))
    factors = np.exp2(rng.integers(lowest, highest + 1, count).astype(np.float64))
    if way == "greatest":
        before, after = before * (1 + 2.0**-15), after * (1 + 2.0**-16)
        weights = factors * (1 - 2.0**-16)
    else:
        weights = factors * (rng.uniform(1, 2, count) if way == "any" else 1)
    if way == "any":
        before, after = before * rng.uniform(1, 2), after * rng.uniform(1, 2)
    ratio = 2.0 ** round(math.log2(after / before))
    return float(np.float32(before)), (weights * ratio).astype(np.float32), float(np.float32(after))


def _weights(rng: np.random.Generator, channels: int, depth: int) -> NDArray[np.int8]:
    """Shape (channels, depth)."""
    data = rng.integers(-128, 128, (channels, depth))
    way = _pick(rng, ("any", "any", "any", "sparse", "ends", "lowest", "highest"))
    if way == "sparse":
        data *= rng.integers(0, 3, data.shape) == 0
    elif way == "ends":
        data = rng.choice([-128, -127, 127], data.shape)
    elif way in ("lowest", "highest"):
        data[:] = -128 if way == "lowest" else 127
    if rng.integers(3) == 0:
        data[rng.integers(0, channels, 2)] = 0
    return data.astype(np.int8)


def _bias(rng: np.random.Generator, weights: NDArray[np.int8], factors: NDArray[np.float64]) -> NDArray[np.int32]:
    """Some of what an output shows, some as large as sums may get."""
    most = _INT32_MAX - 256 * np.abs(weights.astype(np.int64)).sum(axis=1)
    way = _pick(rng, ("shown",) * 4 + ("small",) * 3 + ("most",))
    if way == "most":
        made = most * rng.choice([-1, 1], len(most))
    elif way == "small":
        made = rng.integers(-2000, 2001, len(most))
    else:
        made = rng.integers(-100, 101, len(most)) / np.broadcast_to(factors, most.shape)
    return np.clip(made, -most, most).astype(np.int32)


def _linear(
    model: ModelByHand,
    rng: np.random.Generator,
    kind: str,
    shapes: tuple[tuple[int, ...], tuple[int, ...], tuple[int, ...]],
    options: Any,
) -> tuple[bytes, list[int]]:
    """A layer of shapes (input, weights, output)."""
    before, kernel, after = shapes
    axis = 3 if kind == "DEPTHWISE_CONV_2D" else 0
    channels = kernel[axis]
    depth = math.prod(kernel) // channels
    input_scale, scales, output_scale = _scales(rng, channels if channels > 1 and rng.integers(5) else 1, depth)
    flat = _weights(rng, channels, depth)
    data = np.moveaxis(flat.reshape(channels, *kernel[:axis], *kernel[axis + 1 :]), 0, axis)
    source = model.tensor(before, input_scale, _zero_point(rng))
    weights = model.tensor(kernel, scales, data=np.ascontiguousarray(data), axis=axis)
    bias = -1
    if rng.integers(5) or kind == "DEPTHWISE_CONV_2D":
        factors = input_scale * scales.astype(np.float64) / output_scale
        values = _bias(rng, flat, factors)
        bias = model.tensor((channels,), scales * np.float32(input_scale), dtype="int32", data=values)
    output = model.tensor(after, output_scale, _zero_point(rng))
    options.fusedActivationFunction = _activation(rng)
    return model.pack(kind, [source, weights, bias], output, options, [source]), [source]


def _conv_2d(model: ModelByHand, rng: np.random.Generator) -> tuple[bytes, list[int]]:
    channels_in, channels_out, window = _channels(rng), _channels(rng), _window(rng)
    window = _fitting(window, window.taps * channels_in * channels_out, max(channels_in, channels_out))
    options = schema.Conv2DOptionsT()
    window.fill(options)
    options.dilationHFactor, options.dilationWFactor = window.dilation
    shapes = (
        (1, *window.size, channels_in),
        (channels_out, *window.kernel, channels_in),
        (1, *window.output, channels_out),
    )
    return _linear(model, rng, "CONV_2D", shapes, options)


def _depthwise_conv_2d(model: ModelByHand, rng: np.random.Generator) -> tuple[bytes, list[int]]:
    channels, window = _channels(rng), _window(rng)
    multiplier = _pick(rng, (1, 1, 1, 2, 3, 8)) if channels > 1 else _channels(rng)
    window = _fitting(window, window.taps * channels * multiplier, channels * multiplier)
    options = schema.DepthwiseConv2DOptionsT()
    window.fill(options)
    options.depthMultiplier = multiplier
    options.dilationHFactor, options.dilationWFactor = window.dilation
    channels_out = channels * multiplier
    shapes = (1, *window.size, channels), (1, *window.kernel, channels_out), (1, *window.output, channels_out)
    return _linear(model, rng, "DEPTHWISE_CONV_2D", shapes, options)


def _fully_connected(model: ModelByHand, rng: np.random.Generator) -> tuple[bytes, list[int]]:
    vectors, units = _pick(rng, (1, 1, 1, 1, 2, 5)), _channels(rng)
    depth = _pick(rng, (_number(rng, 1, 40), _number(rng, 1, 300), 4 * _number(rng, 1, 64), 16 * _number(rng, 1, 40)))
    options = schema.FullyConnectedOptionsT()
    return _linear(model, rng, "FULLY_CONNECTED", ((vectors, depth), (units, depth), (vectors, units)), options)


def _pool(kind: str) -> Callable[[ModelByHand, np.random.Generator], tuple[bytes, list[int]]]:
    kernels = ((2, 2), (2, 2), (3, 3), (1, 2), (8, 8), (5, 1))

    def make(model: ModelByHand, rng: np.random.Generator) -> tuple[bytes, list[int]]:
        channels, window = _channels(rng), _window(rng, kernels, dilated=False)
        if rng.integers(3) == 0:
            # Over the whole image, as networks end.
            size = (_number(rng, 1, 8), _number(rng, 1, 8))
            window = _Window(size, size, window.stride, (1, 1), "VALID")
        window = _fitting(window, window.taps * channels, channels)
        options = schema.Pool2DOptionsT()
        window.fill(options)
        options.filterHeight, options.filterWidth = window.kernel
        options.fusedActivationFunction = _activation(rng)
        scale, zero_point = float(np.float32(2.0 ** rng.uniform(-8, 1))), _zero_point(rng)
        source = model.tensor((1, *window.size, channels), scale, zero_point)
        output = model.tensor((1, *window.output, channels), scale, zero_point)
        return model.pack(kind, [source], output, options, [source]), [source]

    return make


def _pair(kind: str, options: type) -> Callable[[ModelByHand, np.random.Generator], tuple[bytes, list[int]]]:
    def make(model: ModelByHand, rng: np.random.Generator) -> tuple[bytes, list[int]]:
        shape = (1, _number(rng, 1, 6), _number(rng, 1, 9), _channels(rng))
        shape = _pick(rng, (shape, shape, shape, shape[2:], shape[3:]))
        other = _pick(rng, (shape, shape, shape, shape, shape[-1:], (1,) * (len(shape) - 1) + shape[-1:], (1,)))
        left, right = (float(np.float32(2.0 ** rng.uniform(-9, -1))) for _ in range(2))
        right = _pick(rng, (right, left, right * 2.0**-12, left / 2))
        made = options()
        made.fusedActivationFunction = _activation(rng)
        inputs = [model.tensor(shape, left, _zero_point(rng)), model.tensor(other, right, _zero_point(rng))]
        if rng.integers(8) == 0:
            inputs[1] = inputs[0]
        elif rng.integers(2):
            inputs.reverse()
        output = model.tensor(shape, _pair_scale(rng, kind, left, right), _zero_point(rng))
        sources = list(dict.fromkeys(inputs))
        return model.pack(kind, inputs, output, made, sources), sources

    return make


def _pair_scale(rng: np.random.Generator, kind: str, left: float, right: float) -> float:
    """Mostly such that outputs differ; else far finer or far coarser than what comes."""
    usual = left * right * 60 if kind == "MUL" else 2 * max(left, right)
    scale = usual * 2.0 ** _pick(rng, (rng.uniform(-2, 1),) * 3 + (0, rng.uniform(-12, 20)))
    # TFLM refuses where 6 is 2^31 steps and more.
    return float(np.float32(max(scale, 2.0**-27)))


_MAKERS: tuple[tuple[str, Callable[[ModelByHand, np.random.Generator], tuple[bytes, list[int]]]], ...] = (
    ("CONV_2D", _conv_2d),
    ("DEPTHWISE_CONV_2D", _depthwise_conv_2d),
    ("FULLY_CONNECTED", _fully_connected),
    ("AVERAGE_POOL_2D", _pool("AVERAGE_POOL_2D")),
    ("CONV_2D", _conv_2d),
    ("MAX_POOL_2D", _pool("MAX_POOL_2D")),
    ("DEPTHWISE_CONV_2D", _depthwise_conv_2d),
    ("ADD", _pair("ADD", schema.AddOptionsT)),
    ("SUB", _pair("SUB", schema.SubOptionsT)),
    ("MUL", _pair("MUL", schema.MulOptionsT)),
)
