"""A pruned channel, whatever bias and factor are left of it, does not keep its layer from a core's best kernels."""

from __future__ import annotations

from pathlib import Path

import aot_on_host
import judges
import numpy as np
import pytest
from ai_edge_litert import schema_py_generated as schema
from cases._random import PADDING
from flatbuffers_by_hand import ModelByHand

from edgekit import targets
from edgekit.engine.options import EngineOptions, Optimize
from edgekit.engine.program import program
from edgekit.tflite import graph

FEATURES = sorted({targets.load(name).features for name in targets.names()})
CHANNELS, DEPTH = 24, 8
# Factors of empty channels, and their biases: beyond what kernels take, on both sides.
FACTORS = (2.0**-24, 2.0**-27.5, 2.0**-31, 2.0**-40, 0.75, 3.0, 2.0**20)
BIASES = (2**30, -(2**30), 2**30 + 64, -(2**30) - 192, 0, 5, -7)


def _model(*, with_empty: bool) -> bytes:
    rng = np.random.default_rng(17)
    model = ModelByHand()
    factors = rng.uniform(0.001, 0.003, CHANNELS)
    weights = rng.integers(-127, 128, (CHANNELS, 1, 1, DEPTH), dtype=np.int8)
    bias = rng.integers(-5000, 5000, CHANNELS, dtype=np.int32)
    if with_empty:
        factors[: len(FACTORS)], bias[: len(BIASES)], weights[: len(BIASES)] = FACTORS, BIASES, 0
        factors[len(FACTORS) : 2 * len(FACTORS)] = FACTORS[0]
        bias[len(FACTORS) : 2 * len(FACTORS)], weights[len(FACTORS) : 2 * len(FACTORS)] = BIASES, 0
    scale = (factors * 4).astype(np.float32)  # of an input at 0.05 and an output at 0.2
    source = model.tensor((1, 3, 3, DEPTH), 0.05, 5)
    kernel = model.tensor(weights.shape, scale, data=weights, axis=0)
    biases = model.tensor((CHANNELS,), scale * np.float32(0.05), dtype="int32", data=bias)
    output = model.tensor((1, 3, 3, CHANNELS), 0.2, -3)
    options = schema.Conv2DOptionsT()
    options.padding, options.strideH, options.strideW = PADDING["VALID"], 1, 1
    options.dilationHFactor = options.dilationWFactor = 1
    return model.pack("CONV_2D", [source, kernel, biases], output, options, [source])


@pytest.mark.parametrize("features", FEATURES, ids="+".join)
def test_empty_channels_keep_the_kernel(features: tuple[str, ...], tmp_path: Path) -> None:
    pytest.importorskip("tflite_micro", reason="TFLM's wheel is the judge")
    options = EngineOptions(features, Optimize.SPEED, form="dense")
    empty, full = (graph.parse(_model(with_empty=with_empty)) for with_empty in (True, False))
    made = program(empty, options)
    assert made.lowered[0].kernel == program(full, options).lowered[0].kernel
    rng = np.random.default_rng(1)
    samples = tuple(rng.integers(-128, 128, 9 * DEPTH, dtype=np.int8).tobytes() for _ in range(2))
    assert aot_on_host.run([made], [samples], tmp_path) == [judges.tflm(empty, samples)]
