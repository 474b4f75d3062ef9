"""The kernels of Armv7E-M at every remainder: depths, channels, pixels and columns beside their tiles; TFLM judges.

On the host the C twins of the assembly run, under the sanitizers; `tests/emulated` runs the assembly.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import aot_on_host
import judges
import numpy as np
import pytest
from ai_edge_litert import schema_py_generated as schema
from cases._random import PADDING
from flatbuffers_by_hand import ModelByHand, same_or_valid
from placements import scattered

from edgekit.engine import forms
from edgekit.engine.options import EngineOptions, Optimize
from edgekit.engine.program import program
from edgekit.tflite import graph

OPTIONS = tuple(EngineOptions(("dsp",), optimize) for optimize in (Optimize.BALANCED, Optimize.SPEED))
NONE, RELU, RELU6 = (getattr(schema.ActivationFunctionType, name) for name in ("NONE", "RELU", "RELU6"))
INPUT_SCALE, OUTPUT_SCALE = 0.05, 0.2


def _model(
    kind: str,
    image: tuple[int, ...],
    kernel: tuple[int, ...],
    channels: int,
    *,
    stride: int = 1,
    dilation: int = 1,
    padding: str = "SAME",
    activation: int = NONE,
    weight_scale: float = 0.005,
    most_bias: int = 5000,
    most_weight: int = 128,
    kept: Sequence[int] | None = None,
) -> bytes:
    """One layer; `image` is (rows, columns, channels) or (depth), `kernel` (rows, columns) or (); `kept`: the depths at
    which weights are not 0."""
    rng = np.random.default_rng([channels, *image, *kernel])
    model = ModelByHand()
    is_depthwise = kind == "DEPTHWISE_CONV_2D"
    shape = (1, *kernel, channels) if is_depthwise else (channels, *kernel, image[-1])
    source = model.tensor((1, *image), INPUT_SCALE, _zero_point(rng))
    scale = (weight_scale * rng.uniform(0.5, 2, channels)).astype(np.float32)
    axis = 3 if is_depthwise else 0
    values = rng.integers(-most_weight, most_weight, shape, dtype=np.int8)
    if kept is not None:
        zeros = np.delete(np.arange(values[0].size), kept)
        values.reshape(channels, -1)[:, zeros] = 0
    weights = model.tensor(shape, scale, data=values, axis=axis)
    bias = rng.integers(-most_bias, most_bias, channels, dtype=np.int32)
    bias[0] = most_bias
    biases = model.tensor((channels,), scale * np.float32(INPUT_SCALE), dtype="int32", data=bias)
    size = [same_or_valid(size, taps, stride, dilation, padding) for size, taps in zip(image, kernel, strict=False)]
    output = model.tensor((1, *size, channels), OUTPUT_SCALE, _zero_point(rng))
    if not kernel:
        options = schema.FullyConnectedOptionsT()
    else:
        options = schema.DepthwiseConv2DOptionsT() if is_depthwise else schema.Conv2DOptionsT()
        options.padding, options.strideH, options.strideW = PADDING[padding], stride, stride
        options.dilationHFactor = options.dilationWFactor = dilation
    if is_depthwise:
        options.depthMultiplier = 1
    options.fusedActivationFunction = activation
    return model.pack(kind, [source, weights, biases], output, options, [source])


def _zero_point(rng: np.random.Generator) -> int:
    return (-128, 127, 0, int(rng.integers(-128, 128)))[int(rng.integers(4))]


def _judge(flatbuffers: list[bytes], folder: Path, options_of: Sequence[EngineOptions] = OPTIONS) -> None:
    """Compare plans with TFLM: random inputs, and such that saturate; whole and in blocks of rows."""
    pytest.importorskip("tflite_micro", reason="TFLM's wheel is the judge")
    rng = np.random.default_rng(5)
    graphs = [graph.parse(flatbuffer) for flatbuffer in flatbuffers]
    sizes = [made.tensors[made.inputs[0]].elements for made in graphs]
    samples = [
        (
            rng.integers(-128, 128, size, dtype=np.int8).tobytes(),
            rng.choice([-128, 127], size).astype(np.int8).tobytes(),
        )
        for size in sizes
    ]
    truths = [judges.tflm(made, sample) for made, sample in zip(graphs, samples, strict=True)]
    for options in options_of:
        programs = [program(made, options) for made in graphs]
        assert all(made.lowered[0].kernel.endswith(".dsp") for made in programs)
        assert all(options.form in (None, made.lowered[0].form) for made in programs)
        scattered_too = [scattered(made, rng) if place % 2 else made for place, made in enumerate(programs)]
        results = aot_on_host.run(scattered_too, samples, folder)
        wrong = [place for place, outputs in enumerate(results) if outputs != truths[place]]
        assert not wrong, f"{options}: {[programs[place].lowered[0].kernel for place in wrong]}, models {wrong}"


def test_pointwise_convolution_at_every_depth_and_number_of_channels(tmp_path: Path) -> None:
    models = [
        _model("CONV_2D", (2, columns, depth), (1, 1), channels, stride=stride, activation=activation)
        for depth, channels in itertools.product((1, 2, 3, 4, 5, 8, 11, 16, 18), (4, 5, 6, 7, 8, 11))
        for columns, stride, activation in [((depth + channels) % 4 + 1, 1 + channels % 2, (NONE, RELU)[depth % 2])]
    ]
    _judge(models, tmp_path)


def test_windows_of_any_width_at_every_border(tmp_path: Path) -> None:
    windows = itertools.product(((3, 3), (10, 4), (2, 5), (1, 3)), (1, 2, 3), ("SAME", "VALID"), (1, 2, 3, 4))
    models = [
        _model(
            "CONV_2D",
            (kernel[0] + stride, kernel[1] + 4 + depth % 2, depth),
            kernel,
            4 + depth,
            stride=stride,
            padding=padding,
            activation=(NONE, RELU, RELU6)[stride - 1],
        )
        for kernel, stride, padding, depth in windows
    ]
    models += [_model("CONV_2D", (7, 9, 3), (3, 3), 5, dilation=2, padding=padding) for padding in ("SAME", "VALID")]
    _judge(models, tmp_path)


@pytest.mark.parametrize("stride", (1, 2))
def test_depthwise_rows_of_any_length(stride: int, tmp_path: Path) -> None:
    models = [
        _model(
            "DEPTHWISE_CONV_2D",
            (3 + columns % 3, columns, channels),
            (3, 3),
            channels,
            stride=stride,
            padding=padding,
            activation=(NONE, RELU, RELU6)[(columns + channels) % 3],
            weight_scale=0.02,
        )
        for columns, channels, padding in itertools.product(range(1, 12), (4, 5, 7, 8), ("SAME", "VALID"))
        if padding == "SAME" or columns >= 3
    ]
    _judge(models, tmp_path)


def test_fully_connected_at_every_remainder(tmp_path: Path) -> None:
    models = [
        _model("FULLY_CONNECTED", (depth,), (), outputs, activation=(NONE, RELU, RELU6)[depth % 3])
        for depth, outputs in itertools.product((1, 2, 3, 4, 5, 7, 8, 9, 12, 13, 33), (4, 5, 6, 7, 9))
    ]
    _judge(models, tmp_path)


def test_weights_stored_small_at_every_remainder(tmp_path: Path) -> None:
    """Weights of 4 bits suit every packing but the one of zeros, which needs some."""
    models = [
        _model("CONV_2D", (2, 1 + depth % 5, depth), (1, 1), channels, activation=activation, most_weight=8)
        for depth, channels, activation in ((3, 4, NONE), (4, 5, RELU), (7, 6, NONE), (8, 7, RELU6), (17, 8, RELU))
    ]
    models += [
        _model(kind, (7, columns, channels), (3, 3), channels, stride=stride, activation=activation, most_weight=8)
        for kind, columns, channels, stride, activation in (
            ("CONV_2D", 6, 5, 1, NONE),
            ("CONV_2D", 7, 4, 2, RELU),
            *(
                ("DEPTHWISE_CONV_2D", 4 + channels % 4, channels, 1 + channels // 2 % 2, (NONE, RELU)[channels % 2])
                for channels in range(4, 14)
            ),
        )
    ]
    models += [
        _model("FULLY_CONNECTED", (depth,), (), outputs, activation=(NONE, RELU6)[depth % 2], most_weight=8)
        for depth, outputs in itertools.product((1, 3, 4, 7, 8, 9, 16, 21), (4, 5, 7))
    ]
    options = EngineOptions(("dsp",))
    offered = [forms.candidates(made, made.ops[0], options) for made in map(graph.parse, models)]
    for form in ("int4", "clustered", "prefix"):
        chosen = [model for model, made in zip(models, offered, strict=True) if form in {one.form for one in made}]
        assert len(chosen) > (8 if form != "prefix" else 0)
        folder = tmp_path / form
        folder.mkdir()
        _judge(chosen, folder, [replace(options, form=form)])


@pytest.mark.parametrize("form", ("blocks", "2:4"))
def test_kept_weights_that_lie_far_apart(form: str, tmp_path: Path) -> None:
    """Farther than a step leads; none at all; the first and the last, where the depth ends within a block."""
    places: tuple[tuple[int, ...], ...] = ((), (0,), (1299,), (600, 1298), (3, 512, 516, 1025), (0, 1, 2, 3, 1296))
    models = [_model("CONV_2D", (1, 3, 1300), (1, 1), 5 + len(kept), kept=kept, activation=RELU) for kept in places]
    models += [_model("CONV_2D", (2, 3, 651), (1, 2), 4, kept=kept) for kept in places]
    if form == "blocks":
        models += [_model("FULLY_CONNECTED", (1301,), (), 9, kept=kept) for kept in (*places, (1300,))]
    _judge(models, tmp_path, [replace(options, form=form) for options in OPTIONS])


@pytest.mark.parametrize(
    "flatbuffer",
    (
        _model("CONV_2D", (3, 3, 4), (1, 1), 3),
        _model("CONV_2D", (3, 3, 4), (1, 1), 8, weight_scale=8.0),
        _model("DEPTHWISE_CONV_2D", (5, 5, 8), (3, 3), 8, dilation=2),
        _model("DEPTHWISE_CONV_2D", (5, 5, 8), (5, 3), 8),
        _model("DEPTHWISE_CONV_2D", (7, 7, 8), (3, 3), 8, stride=3),
        _model("FULLY_CONNECTED", (8,), (), 2),
    ),
    ids=("three_channels", "factors_of_one_and_more", "dilated", "other_window", "stride_3", "two_outputs"),
)
def test_other_shapes_take_portable_kernels(flatbuffer: bytes) -> None:
    for options in OPTIONS:
        assert not program(graph.parse(flatbuffer), options).lowered[0].kernel.endswith(".dsp")


def test_sums_beyond_30_bits_take_portable_kernels() -> None:
    huge = _model("CONV_2D", (3, 3, 4), (1, 1), 8, weight_scale=1e-6, most_bias=(1 << 30) + 1000)
    assert not program(graph.parse(huge), OPTIONS[1]).lowered[0].kernel.endswith(".dsp")
