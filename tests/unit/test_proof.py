"""The proof: no float left, and two judges that agree."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from tiny_models import dense_int8

from edgekit.errors import ModelError, UntrustworthyError
from edgekit.tflite import graph, proof
from edgekit.tflite.interpreters import Interpreter, Run, available

MODELS = Path(__file__).parents[3] / "shared" / "models"
IDENTITY = {"weights": np.eye(2), "bias": np.zeros(2)}


def test_both_judges_agree_on_a_plain_layer() -> None:
    model = graph.parse(dense_int8(**IDENTITY))
    proven = proof.prove(model, (bytes([1, 2]), bytes([3, 4])))
    assert proven.samples == 2 and proven.float_tensors == ()
    assert proven.outputs == (bytes([1, 2]), bytes([3, 4]))
    if available(Interpreter.TFLM):
        assert proven.judges[0].startswith("TFLM ") and proven.judges[1].startswith("LiteRT reference kernels ")
        assert proven.equal is True and proven.largest_step == 0 and proven.tflm_arena_bytes


def test_one_judge_alone_compares_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(proof, "available", lambda interpreter: interpreter is not Interpreter.TFLM)
    proven = proof.prove(graph.parse(dense_int8(**IDENTITY)), (bytes(2),))
    assert len(proven.judges) == 1 and proven.equal is None and proven.largest_step is None


@pytest.mark.parametrize(("step", "trusted"), [(8, True), (9, False)])
def test_judges_far_apart_are_not_trusted(step: int, trusted: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    def fake(flatbuffer: bytes, inputs: tuple[bytes, ...], interpreter: Interpreter) -> Run:
        value = step if interpreter is Interpreter.TFLM else 0
        return Run(tuple(bytes([value, 0]) for _ in inputs), "1.0", None)

    monkeypatch.setattr(proof, "run", fake)
    monkeypatch.setattr(proof, "available", lambda interpreter: True)
    model = graph.parse(dense_int8(**IDENTITY))
    if trusted:
        assert proof.prove(model, (bytes(2),)).largest_step == step
    else:
        with pytest.raises(UntrustworthyError, match="differ by 9 steps on sample 0"):
            proof.prove(model, (bytes(2),))


def test_float_model_is_refused() -> None:
    model = graph.parse(dense_int8(**IDENTITY, dtype="float32"))
    assert proof.float_tensors(model) == ("input", "weights", "bias", "output")
    with pytest.raises(ModelError, match="float model came where an int8 one was wanted") as caught:
        proof.prove(model, (bytes(8),))
    assert "representative data" in caught.value.hint


def test_steps_are_counted_with_sign() -> None:
    model = graph.parse(dense_int8(**IDENTITY))
    assert proof.largest_step(model, bytes([255, 0]), bytes([1, 0])) == 2


@pytest.mark.parametrize(
    ("stem", "step"),
    [
        ("anomaly_detection", 3),
        ("image_classification", 0),
        ("keyword_spotting", 0),
        ("visual_wake_words", 0),
    ],
)
def test_real_models(stem: str, step: int) -> None:
    path = MODELS / f"{stem}_int8.tflite"
    if not path.exists() or not available(Interpreter.TFLM):
        pytest.skip("needs the shared reference models beside this checkout, and TFLM")
    model = graph.read(path)
    size = sum(model.tensors[index].size_bytes for index in model.inputs)
    rng = np.random.default_rng(0)
    samples = tuple(rng.integers(-128, 128, size).astype(np.int8).tobytes() for _ in range(10))
    largest = proof.prove(model, samples).largest_step
    assert largest is not None and largest <= step
