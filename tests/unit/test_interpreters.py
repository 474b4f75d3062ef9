"""The interpreters in their children: results, refusals, crashes, time limits."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from tiny_models import dense_int8

from edgekit import child_process
from edgekit.errors import ModelError, ToolchainError
from edgekit.tflite import graph, interpreters
from edgekit.tflite.interpreters import Interpreter

SOUND = dense_int8(weights=np.eye(2), bias=np.zeros(2))
MODELS = Path(__file__).parents[3] / "shared" / "models"
both = pytest.mark.parametrize("interpreter", list(Interpreter))


def need(interpreter: Interpreter) -> None:
    if not interpreters.available(interpreter):
        pytest.skip(f"{interpreter.label} is not installed here")


@both
def test_one_output_per_sample_and_known_values(interpreter: Interpreter) -> None:
    need(interpreter)
    flatbuffer = dense_int8(weights=np.array([[1, 0], [0, 2], [-1, 1]]), bias=np.array([0, 0, 10]))
    run = interpreters.run(flatbuffer, (bytes([3, 4]), bytes([0, 256 - 5])), interpreter)
    assert [np.frombuffer(output, np.int8).tolist() for output in run.outputs] == [[3, 8, 11], [0, -10, 5]]
    assert run.version[0].isdigit()
    assert (run.arena_bytes is not None) == (interpreter is Interpreter.TFLM)


@both
def test_wrong_sample_size_is_refused(interpreter: Interpreter) -> None:
    need(interpreter)
    flatbuffer = dense_int8(weights=np.eye(2), bias=np.zeros(2))
    with pytest.raises(ModelError, match="sample 1 has 3 bytes, the model's inputs take 2"):
        interpreters.run(flatbuffer, (bytes(2), bytes(3)), interpreter)


@both
def test_garbage_never_takes_the_parent_down(interpreter: Interpreter, monkeypatch: pytest.MonkeyPatch) -> None:
    need(interpreter)
    damaged = bytearray(dense_int8(weights=np.eye(2), bias=np.zeros(2)))
    damaged[0:4] = b"\xf0\xff\xff\x7f"  # the root offset now points far outside
    with pytest.raises(ModelError, match=r"root offset leads to byte 2,147,483,632"):
        interpreters.run(bytes(damaged), (bytes(2),), interpreter)
    monkeypatch.setattr(interpreters.guard, "check", lambda flatbuffer, runner: None)
    with pytest.raises(ModelError, match=r"interpreter (refused|was ended)"):
        interpreters.run(bytes(damaged), (bytes(2),), interpreter)


def test_crash_names_interpreter_and_signal(monkeypatch: pytest.MonkeyPatch) -> None:
    crash = [sys.executable, "-c", "import os; os.write(2, b'arena is gone\\n'); os.abort()"]
    monkeypatch.setattr(interpreters, "python_command", lambda module: crash)
    with pytest.raises(ModelError, match=r"LiteRT interpreter was ended by signal 6 \(SIGABRT\).*arena is gone"):
        interpreters.run(SOUND, (), Interpreter.LITERT)


def test_time_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    sleep = [sys.executable, "-c", "import time; time.sleep(60)"]
    monkeypatch.setattr(interpreters, "python_command", lambda module: sleep)
    with pytest.raises(ModelError, match=r"did not finish within 0\.3 s"):
        interpreters.run(SOUND, (), Interpreter.LITERT, timeout_s=0.3)


def test_missing_interpreter_is_a_toolchain_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(interpreters.importlib.util, "find_spec", lambda name: None)
    assert not interpreters.available(Interpreter.TFLM)
    with pytest.raises(ToolchainError, match="TFLM interpreter is not installed"):
        interpreters.run(b"", (), Interpreter.TFLM)


def test_nothing_heavy_is_imported_by_the_parent() -> None:
    code = "import sys, edgekit.tflite.interpreters; print(*sys.modules)"
    command = [sys.executable, "-P", "-c", code]
    done = subprocess.run(command, capture_output=True, text=True, check=True, env=child_process.child_environment())
    assert not {"tensorflow", "numpy", "ai_edge_litert", "tflite_micro"} & set(done.stdout.split())


@pytest.mark.parametrize("stem", ["anomaly_detection", "image_classification", "keyword_spotting", "visual_wake_words"])
def test_real_models_run_in_every_interpreter(stem: str) -> None:
    path = MODELS / f"{stem}_int8.tflite"
    if not path.exists():
        pytest.skip("the shared reference models are not beside this checkout")
    model = graph.read(path)
    size = sum(model.tensors[index].size_bytes for index in model.inputs)
    values = np.random.default_rng(0).integers(-128, 128, size).astype(np.int8)
    for interpreter in Interpreter:
        if interpreters.available(interpreter):
            run = interpreters.run(model.flatbuffer, (values.tobytes(),), interpreter)
            assert len(run.outputs[0]) == sum(model.tensors[index].size_bytes for index in model.outputs)
