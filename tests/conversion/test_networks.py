"""Networks of keras.applications end in integers alone, and `aot` computes them as TFLM does, byte for byte.

All of them take minutes: `make networks`. One of them is always tried.
"""

from __future__ import annotations

import os
from collections.abc import Callable

import matrix
import pytest

from edgekit import host_engine
from edgekit.tflite import interpreters, proof
from edgekit.tflite.interpreters import Interpreter
from edgekit.tflite.quantize import quantize_input

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(
        not interpreters.available(Interpreter.TFLM), reason="TFLM's interpreter has no wheel for this platform"
    ),
]

_ALWAYS = "MobileNetV3Small"
_NAMES = ["MobileNet", "MobileNetV2", "MobileNetV3Small", "EfficientNetB0", "ResNet50", "DenseNet121"]
_TRIED = os.environ.get("EDGEKIT_NETWORKS", _ALWAYS)
_SAMPLES = 2


@pytest.mark.timeout(3600)
@pytest.mark.parametrize("name", _NAMES if _TRIED == "all" else _TRIED.split(","))
def test_network(
    name: str,
    network: Callable[[str], matrix.Converted],
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    # Its limit spares users the minute and the memory that a compiler takes for 24 million numbers.
    monkeypatch.setattr(host_engine, "_LARGEST_MODEL_BYTES", 1 << 26)
    result = network(name)
    assert proof.float_tensors(result.graph) == ()
    inputs = quantize_input(result.graph, result.x[:_SAMPLES])
    judged = interpreters.run(result.graph.flatbuffer, inputs, Interpreter.TFLM)
    assert len(set(judged.outputs)) == _SAMPLES, "a network that says the same of every picture proves nothing"
    assert host_engine.run(result.graph.flatbuffer, inputs).outputs == judged.outputs
    with capsys.disabled():
        bytes_ = len(result.graph.flatbuffer)
        print(f" {name}: {len(result.graph.ops)} operators, {bytes_:,} B, SQNR {result.sqnr_db} dB")  # noqa: T201
