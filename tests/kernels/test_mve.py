"""Kernels of the vector extension at every remainder: channels beside fours and eights, depths beside 16, clamps.

TFLM judges; the code in plain C runs under the sanitizers, the vector instructions on the emulated core.
"""

from __future__ import annotations

import shutil
from pathlib import Path

import aot_on_core
import aot_on_host
import judges
import numpy as np
import pytest
from ai_edge_litert import schema_py_generated as schema
from cases._random import PADDING
from flatbuffers_by_hand import ModelByHand, same_or_valid
from placements import scattered

from edgekit import targets
from edgekit.engine.options import EngineOptions
from edgekit.engine.program import Program, program
from edgekit.errors import ToolMissingError
from edgekit.tflite import graph

CORE = "cortex-m55"
THIN = "conv_2d_thin_s8.mve"
Shape = tuple[int, int, int]
# Output zero point and fused activation: what is clamped at int8's ends, above the zero point, below it.
CLAMPS = (
    (-128, schema.ActivationFunctionType.RELU),
    (-20, schema.ActivationFunctionType.RELU),
    (5, schema.ActivationFunctionType.NONE),
    (-100, schema.ActivationFunctionType.RELU6),
)


def convolution(image: Shape, kernel: tuple[int, int], channels: int, stride: int, padding: str, clamp: int) -> bytes:
    """One convolution of (rows, columns, input channels); depthwise where `channels` is 0."""
    rng = np.random.default_rng([*image, *kernel, channels, stride, clamp])
    model = ModelByHand()
    count = channels or image[2]
    shape = (channels, *kernel, image[2]) if channels else (1, *kernel, count)
    source = model.tensor((1, *image), 0.04, int(rng.integers(-128, 128)))
    scales = rng.uniform(0.001, 0.01, count).astype(np.float32)
    data = rng.integers(-127, 128, shape, dtype=np.int8)
    weights = model.tensor(shape, scales, data=data, axis=0 if channels else 3)
    bias = rng.integers(-3000, 3000, count, dtype=np.int32)
    biases = model.tensor((count,), scales * np.float32(0.04), dtype="int32", data=bias)
    rows, columns = (same_or_valid(image[axis], kernel[axis], stride, 1, padding) for axis in range(2))
    zero_point, activation = CLAMPS[clamp]
    output = model.tensor((1, rows, columns, count), 0.05, zero_point)
    options = schema.Conv2DOptionsT() if channels else schema.DepthwiseConv2DOptionsT()
    options.padding, options.strideH, options.strideW = PADDING[padding], stride, stride
    options.dilationHFactor = options.dilationWFactor = 1
    options.fusedActivationFunction = activation
    if not channels:
        options.depthMultiplier = 1
    kind = "CONV_2D" if channels else "DEPTHWISE_CONV_2D"
    return model.pack(kind, [source, weights, biases], output, options, [source])


def tiles() -> list[bytes]:
    places = [
        ((1, columns, depth), (1, 1), channels, 1, "VALID", (depth + channels + columns) % len(CLAMPS))
        for columns in (1, 2, 3)
        for depth in (1, 15, 16, 17, 33)
        for channels in (1, 2, 3, 4, 5, 6, 7)
    ]
    windows = [
        ((rows, columns, 3), kernel, 5, stride, "SAME", (rows + columns) % len(CLAMPS))
        for rows, columns in ((1, 1), (2, 7), (7, 2), (6, 5))
        for kernel in ((3, 3), (2, 5), (17, 2))  # rows are found once for kernels of up to 16
        for stride in (1, 2)
    ]
    made = [convolution(*place) for place in places + windows]
    return [flatbuffer for flatbuffer in made if _kernel(flatbuffer) != THIN]


def pixels() -> list[bytes]:
    places = [
        ((3, columns, depth), (1, 1), channels, stride, "SAME", (depth + channels + columns) % len(CLAMPS))
        for columns in (1, 2, 5)
        for depth in (1, 3, 8, 15, 16)
        for channels in (4, 5, 7, 8)
        for stride in (1, 2)
    ]
    return [convolution(*place) for place in places]


def _kernel(flatbuffer: bytes) -> str:
    return program(graph.parse(flatbuffer), EngineOptions(targets.load(CORE).features)).lowered[0].kernel


def strips() -> list[bytes]:
    small = [
        ((rows, columns, channels), (3, 3), 0, stride, "SAME", (rows + columns + channels) % len(CLAMPS))
        for rows, columns in ((1, 1), (2, 3), (5, 2), (6, 7))
        for channels in (4, 5, 7, 8, 9, 13)
        for stride in (1, 2)
    ]
    inside = [((rows, 9 - rows, 6), (3, 3), 0, 2, "VALID", rows % len(CLAMPS)) for rows in range(3, 7)]
    return [convolution(*place) for place in small + inside]


def few() -> list[bytes]:
    """Too few channels for a vector: the portable kernel, beside headers for the vector extension."""
    return [convolution((4, 5, channels), (3, 3), 0, 1, "SAME", 0) for channels in (2, 3)]


def _programs(
    flatbuffers: list[bytes], kernel: str
) -> tuple[list[Program], list[tuple[bytes]], list[tuple[bytes, ...]]]:
    pytest.importorskip("tflite_micro", reason="TFLM's wheel is the judge")
    rng = np.random.default_rng(5)
    graphs = [graph.parse(flatbuffer) for flatbuffer in flatbuffers]
    samples = [
        (rng.integers(-128, 128, made.tensors[made.inputs[0]].elements, dtype=np.int8).tobytes(),) for made in graphs
    ]
    programs = [program(made, EngineOptions(targets.load(CORE).features)) for made in graphs]
    assert {item.kernel for made in programs for item in made.lowered} == {kernel}
    truths = [judges.tflm(made, sample) for made, sample in zip(graphs, samples, strict=True)]
    return programs, samples, truths


MADE = [
    (tiles, "conv_2d_tile_s8.mve"),
    (pixels, THIN),
    (strips, "depthwise_conv_2d_3x3_strips_s8.mve"),
    (few, "depthwise_conv_2d_3x3_s8"),
]


@pytest.mark.parametrize(("made", "kernel"), MADE)
def test_every_remainder_in_plain_c(made, kernel: str, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    programs, samples, truths = _programs(made(), kernel)
    rng = np.random.default_rng(6)
    assert aot_on_host.run(programs, samples, tmp_path) == truths
    assert aot_on_host.run([scattered(each, rng) for each in programs], samples, tmp_path) == truths


@pytest.mark.emulated
@pytest.mark.parametrize(("made", "kernel"), MADE)
def test_every_remainder_on_the_core(made, kernel: str, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    if shutil.which("qemu-system-arm") is None:
        pytest.skip("qemu-system-arm is not installed: apt-get install qemu-system-arm")
    programs, samples, truths = _programs(made(), kernel)
    rng = np.random.default_rng(7)
    try:
        faults = aot_on_core.differing(CORE, [scattered(each, rng) for each in programs], samples, truths, tmp_path)
    except ToolMissingError as error:
        pytest.skip(error.what)
    assert faults == []
