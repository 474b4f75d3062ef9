"""The x86 kernels at every remainder, with SSE2 and as plain C where the compiler has none; TFLM judges."""

from __future__ import annotations

from pathlib import Path

import aot_on_host
import judges
import numpy as np
import pytest
from convolutions_by_hand import convolution
from layer_cases import LayerCase, layer_case

from edgekit.engine.options import EngineOptions
from edgekit.engine.program import program
from edgekit.tflite import graph

KERNELS = {"conv_2d_lanes_s8.x86", "depthwise_conv_2d_3x3_lanes_s8.x86", "fully_connected_lanes_s8.x86"}


@pytest.fixture(scope="module")
def layers() -> list[LayerCase]:
    """Channels beside multiples of 8, depths beside multiples of 2 and 8, pixels beside multiples of 4."""
    rng = np.random.default_rng(2)
    made = [
        ("CONV_2D", (rows, columns, depth), kernel, channels, 1)
        for (rows, columns), depth, kernel, channels in [
            *(((1, 1), 1, (1, 1), 1), ((1, 2), 7, (1, 1), 8), ((2, 3), 8, (1, 1), 9), ((2, 2), 17, (1, 1), 16)),
            *(((3, 3), 2, (3, 2), 5), ((5, 1), 3, (3, 3), 20)),
        ]
    ] + [
        ("DEPTHWISE_CONV_2D", (rows, columns, channels), (3, 3), channels, stride)
        for rows, columns in [(1, 1), (1, 4), (2, 2), (5, 3), (4, 6)]
        for channels in (8, 11)
        for stride in (1, 2, 3)
    ]
    cases = []
    for kind, image, kernel, channels, stride in made:
        samples = tuple(rng.integers(-128, 128, image, dtype=np.int8).tobytes() for _ in range(2))
        flatbuffer = convolution(kind, image, kernel, channels, stride, "SAME")
        cases.append(LayerCase(f"{kind} {image} {kernel} {channels} {stride}", flatbuffer, samples))
    return cases + [case for seed in range(60) if (case := layer_case(seed)).name.startswith("fully_connected")]


@pytest.mark.parametrize("flags", [(), ("-U__SSE2__",)], ids=["SSE2", "plain"])
def test_layers_equal_tflm(
    flags: tuple[str, ...], layers: list[LayerCase], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("tflite_micro", reason="TFLM's wheel is the judge")
    programs = [program(graph.parse(case.flatbuffer), EngineOptions(("x86",), form="dense")) for case in layers]
    assert {made.lowered[0].kernel for made in programs} >= KERNELS
    monkeypatch.setattr(aot_on_host, "FLAGS", (*aot_on_host.FLAGS, *flags))
    results = aot_on_host.run(programs, [case.samples for case in layers], tmp_path)
    for case, made, outputs in zip(layers, programs, results, strict=True):
        assert outputs == judges.tflm(made.graph, case.samples), case.name
