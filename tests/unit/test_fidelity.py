"""Where two runs part, and which tensor loses: found on models that are wrong on purpose."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest

sys.path.insert(0, str(Path(__file__).parents[1] / "kernels"))

from ai_edge_litert import schema_py_generated as schema
from flatbuffers_by_hand import ModelByHand

from edgekit.tflite import interpreters
from edgekit.tflite.fidelity import first_divergence, layer_fidelity
from edgekit.tflite.graph import Graph, parse
from edgekit.tflite.interpreters import Interpreter
from edgekit.tflite.tap import split, tap

SHAPE = (1, 16)


def _chain(kind: str, scales: tuple[float, float]) -> Graph:
    """x + x, then a stand-alone operator that keeps the shape."""
    model = ModelByHand()
    source = model.tensor(SHAPE, 0.05, 0)
    total = model.tensor(SHAPE, scales[0], 0)
    last = model.tensor(SHAPE, scales[1], -128)
    return parse(
        model.pack_chain(
            [("ADD", [source, source], total, schema.AddOptionsT()), (kind, [total], last, None)], [source]
        )
    )


def _samples(count: int = 4) -> tuple[bytes, ...]:
    rng = np.random.default_rng(0)
    return tuple(rng.integers(-128, 128, 16, dtype=np.int8).tobytes() for _ in range(count))


def test_a_tapped_model_shows_every_activation_and_the_same_output() -> None:
    graph = _chain("RELU", (0.1, 0.05))
    tapped = tap(graph)
    assert [tensor.name for tensor in tapped.tensors] == [graph.tensors[op.outputs[0]].name for op in graph.ops]
    plain = interpreters.run(graph.flatbuffer, _samples(), Interpreter.LITERT_REFERENCE).outputs
    shown = interpreters.run(tapped.graph.flatbuffer, _samples(), Interpreter.LITERT_REFERENCE).outputs
    assert [split(tapped.tensors, one)[-1].tobytes() for one in shown] == list(plain)


def test_the_wrong_kernel_of_tflm_is_named() -> None:
    """TFLM's int8 RELU6 ignores the output scale; the sum in front of it is equal everywhere."""
    if not interpreters.available(Interpreter.TFLM):
        pytest.skip("TFLM's interpreter has no wheel for this platform")
    tapped = tap(_chain("RELU6", (0.1, 6 / 255)))
    runs = [
        interpreters.run(tapped.graph.flatbuffer, _samples(), who).outputs
        for who in (Interpreter.LITERT_REFERENCE, Interpreter.TFLM)
    ]
    found = first_divergence(tapped, runs[0], runs[1], ours=False)
    assert found is not None
    assert (found.op_index, found.operator) == (1, "RELU6")
    assert found.largest_step > 10
    assert "ignores the output scale" in found.cause


def test_one_changed_byte_is_located() -> None:
    tapped = tap(_chain("RELU", (0.1, 0.05)))
    right = interpreters.run(tapped.graph.flatbuffer, _samples(), Interpreter.LITERT_REFERENCE).outputs
    wrong = [bytearray(output) for output in right]
    wrong[2][5] ^= 1
    assert first_divergence(tapped, right, right, ours=True) is None
    found = first_divergence(tapped, right, [bytes(output) for output in wrong], ours=True)
    assert found is not None
    assert (found.op_index, found.largest_step) == (0, 1)
    assert found.differing == pytest.approx(1 / 64)
    assert "report" in found.cause


@pytest.mark.parametrize(
    ("scale", "cause"), [(0.1, ""), (0.01, "lie outside of the int8 range"), (8.0, "of the int8 range is used")]
)
def test_a_bad_range_is_seen_and_its_kind_told(scale: float, cause: str) -> None:
    tapped = tap(_chain("RELU", (scale, scale)))
    outputs = interpreters.run(tapped.graph.flatbuffer, _samples(), Interpreter.LITERT_REFERENCE).outputs
    real = 0.05 * np.stack([np.frombuffer(sample, np.int8) for sample in _samples()]).astype(np.float32)
    name = tapped.tensors[0].name
    (layer,) = layer_fidelity(tapped, outputs, {name: 2 * real.reshape(-1, *SHAPE)})
    assert layer.operator == "ADD"
    assert (layer.cause == "") == (cause == "")
    assert cause in layer.cause
    assert layer.sqnr_db is None or (layer.sqnr_db > 30) == (cause == "")
