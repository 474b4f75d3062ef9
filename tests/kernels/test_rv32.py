"""Tiles and rows of 3x3 at every remainder: pixels, channels and depths beside multiples of 4, narrow images.

The kernels are those of RV32 (tiles of 4 by 4) and the portable ones (4 by 2); TFLM judges.
"""

from __future__ import annotations

from pathlib import Path

import aot_on_host
import judges
import numpy as np
import pytest
from convolutions_by_hand import convolution
from placements import scattered

from edgekit.engine.options import PORTABLE, EngineOptions
from edgekit.engine.program import program
from edgekit.tflite import graph

OPTIONS = (PORTABLE, EngineOptions(("rv32",)))


def _judge(flatbuffers: list[bytes], kernel: str, folder: Path) -> None:
    pytest.importorskip("tflite_micro", reason="TFLM's wheel is the judge")
    rng = np.random.default_rng(3)
    graphs = [graph.parse(flatbuffer) for flatbuffer in flatbuffers]
    samples = [
        (rng.integers(-128, 128, made.tensors[made.inputs[0]].elements, dtype=np.int8).tobytes(),) for made in graphs
    ]
    truths = [judges.tflm(made, sample) for made, sample in zip(graphs, samples, strict=True)]
    for options in OPTIONS:
        programs = [program(made, options) for made in graphs]
        assert {item.kernel for made in programs for item in made.lowered} == {kernel}
        assert aot_on_host.run(programs, samples, folder) == truths, options
        assert aot_on_host.run([scattered(made, rng) for made in programs], samples, folder) == truths, options


def test_tiles_at_every_remainder(tmp_path: Path) -> None:
    shapes = [
        ((rows, columns, depth), (1, 1), channels)
        for rows, columns in [(1, 1), (1, 2), (1, 3), (2, 2), (3, 3), (2, 5)]
        for depth in (1, 3, 4, 6)
        for channels in (1, 4, 6, 11)
    ] + [((5, columns, 2), (3, 2), 5) for columns in (1, 2, 3, 4, 5)]
    made = [convolution("CONV_2D", image, kernel, channels, 1, "SAME") for image, kernel, channels in shapes]
    _judge(made, "conv_2d_s8", tmp_path)


def test_rows_of_3x3_at_every_border(tmp_path: Path) -> None:
    made = [
        convolution("DEPTHWISE_CONV_2D", (rows, columns, 3), (3, 3), 3, stride, padding)
        for padding, sizes in [("SAME", range(1, 7)), ("VALID", range(3, 7))]
        for rows in sizes
        for columns in sizes
        for stride in (1, 2)
    ]
    _judge(made, "depthwise_conv_2d_3x3_s8", tmp_path)
