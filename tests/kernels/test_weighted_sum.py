"""ADD and SUB of int8, every pair of codes: by the weighted sum, and by the roundings that serve without one."""

from __future__ import annotations

from pathlib import Path

import aot_on_host
import judges
import numpy as np
import pytest
from ai_edge_litert import schema_py_generated as schema
from flatbuffers_by_hand import ModelByHand

from edgekit.engine.ops import _weighted_sum
from edgekit.engine.program import program
from edgekit.tflite import graph

CODES = np.arange(-128, 128, dtype=np.int8)
# Scales of left, right, output: equal ones and powers of two have sums exactly between two outputs.
SCALES = [
    (0.1, 0.1, 0.1),
    (0.1, 0.1, 0.2),
    (0.05, 0.1, 0.2),
    (0.013, 0.1, 0.071),
    (0.1, 0.0001, 0.1),
    (40.0, 0.3, 0.1),
    (2.0**15, 2.0**14, 2.0**-3),
]


def _model(kind: str, scales: tuple[float, float, float]) -> bytes:
    model = ModelByHand()
    left, right = model.tensor((1, 256, 256), scales[0], -7), model.tensor((1, 256, 256), scales[1], 20)
    output = model.tensor((1, 256, 256), scales[2], 3)
    options = schema.AddOptionsT() if kind == "ADD" else schema.SubOptionsT()
    return model.pack(kind, [left, right], output, options, [left, right])


@pytest.mark.parametrize("kernel", ["weighted_sum_s8", "sum_s8"])
@pytest.mark.parametrize("kind", ["ADD", "SUB"])
def test_every_pair_of_codes_equals_tflm(
    kind: str, kernel: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("tflite_micro", reason="TFLM's wheel is the judge")
    if kernel == "sum_s8":
        monkeypatch.setattr(_weighted_sum, "find", lambda *_: None)
    pairs = np.repeat(CODES, 256).tobytes() + np.tile(CODES, 256).tobytes()
    graphs = [graph.parse(_model(kind, scales)) for scales in SCALES]
    programs = [program(made) for made in graphs]
    assert {made.lowered[0].kernel for made in programs} == {kernel}
    results = aot_on_host.run(programs, [(pairs,)] * len(SCALES), tmp_path)
    assert results == [judges.tflm(made, (pairs,)) for made in graphs]
