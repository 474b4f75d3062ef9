"""The arena told for TFLM on 32-bit cores: never below what was measured there, at most 5 % above."""

from __future__ import annotations

from pathlib import Path

import pytest

from edgekit.tflite import graph, interpreters
from edgekit.tflite.interpreters import Interpreter
from edgekit.tflite.tflm_arena import arena_bytes_32

SHARED = Path(__file__).parents[2].parent / "shared" / "models"

# Arena of TFLM's reference kernels, measured on a Cortex-M4 and, the larger of both, on RISC-V and Xtensa cores.
MEASURED_BYTES = {
    "image_classification": (54_340, 54_364),
    "visual_wake_words": (100_660, 100_668),
    "keyword_spotting": (22_772, 22_780),
    "anomaly_detection": (2_260, 2_380),
}


@pytest.mark.parametrize("name", sorted(MEASURED_BYTES))
def test_the_estimate_is_close_from_above(name: str) -> None:
    path = SHARED / f"{name}_int8.tflite"
    if not path.is_file():
        pytest.skip("the reference models are not beside this clone")
    if not interpreters.available(Interpreter.TFLM):
        pytest.skip("TFLM's interpreter has no wheel for this platform")
    model = graph.read(path)
    sample = bytes(sum(model.tensors[index].size_bytes for index in model.inputs))
    recorded = interpreters.run(model.flatbuffer, (sample,), Interpreter.TFLM).allocations
    assert recorded is not None
    for measured, short_enums in zip(MEASURED_BYTES[name], (True, False), strict=True):
        told = arena_bytes_32(model, recorded, short_enums=short_enums)
        assert measured <= told <= 1.05 * measured
