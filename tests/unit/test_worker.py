"""The worker: answers, errors of the same class, crashes in words, and silence on the terminal."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from edgekit.child_process import child_environment
from edgekit.errors import DoesNotFitError, ModelError
from edgekit.worker import Worker

FUNCTION = "child_functions:misbehave"


@pytest.fixture(autouse=True)
def _importable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONPATH", str(Path(__file__).parent))


def test_several_calls_one_process_no_tensorflow() -> None:
    told: list[tuple[str, int, int | None]] = []
    with Worker() as worker:
        first = worker.call(
            FUNCTION, {"how": "nothing"}, lambda what, done=0, total=None: told.append((what, done, total))
        )
        second = worker.call(FUNCTION, {"how": "nothing"})
    assert first == second and first["pid"] != os.getpid() and first["tensorflow"] is False
    assert told == [("converting model.keras, last layer 'dense_7'", 1, 2)]


def test_error_of_the_same_class() -> None:
    with pytest.raises(DoesNotFitError, match="needed 9 B, available 1 B") as caught, Worker() as worker:
        worker.call(FUNCTION, {"how": "typed"})
    assert caught.value.exit_code == 3 and caught.value.code == "does_not_fit" and "esp32" in caught.value.what
    assert "shrink the three tensors" in caught.value.hint


@pytest.mark.parametrize(
    ("how", "message"),
    [
        ("abort", r"signal 6 \(SIGABRT\) while at: converting model.keras, last layer 'dense_7'.*rank == 4"),
        ("segfault", r"signal 11 \(SIGSEGV\) while at: converting model.keras, last layer 'dense_7'"),
        ("raise", "failed while at: converting model.keras, last layer 'dense_7': ValueError: first line$"),
    ],
)
def test_crashes_name_the_step(how: str, message: str) -> None:
    with pytest.raises(ModelError, match=message), Worker() as worker:
        worker.call(FUNCTION, {"how": how})


def test_an_exception_leaves_the_worker_usable() -> None:
    with Worker() as worker:
        with pytest.raises(ModelError):
            worker.call(FUNCTION, {"how": "raise"})
        assert worker.call(FUNCTION, {"how": "nothing"})["pid"]


def test_time_limit() -> None:
    with pytest.raises(ModelError, match=r"no end within 1 s while at: converting"), Worker() as worker:
        worker.call(FUNCTION, {"how": "sleep"}, timeout_s=1)


def test_memory_limit() -> None:
    with pytest.raises(ModelError, match="MemoryError"), Worker(memory_limit_bytes=1 << 30) as worker:
        worker.call(FUNCTION, {"how": "memory"})


def test_killed_child_is_told_as_memory() -> None:
    with pytest.raises(ModelError, match="SIGKILL; the kernel does this when memory runs out"), Worker() as worker:
        pid = worker.call(FUNCTION, {"how": "nothing"})["pid"]
        threading.Timer(0.5, os.kill, (pid, signal.SIGKILL)).start()
        worker.call(FUNCTION, {"how": "sleep"})


def test_noise_stays_off_the_terminal(capfd: pytest.CaptureFixture[str]) -> None:
    with Worker() as worker:
        assert worker.call(FUNCTION, {"how": "noise"})["pid"]
    out, err = capfd.readouterr()
    assert out == "" and err == ""


def test_interrupt_kills_the_child() -> None:
    code = (
        "from edgekit.worker import Worker\n"
        "with Worker() as worker:\n"
        f"    print(worker.call({FUNCTION!r}, {{'how': 'nothing'}})['pid'], flush=True)\n"
        f"    worker.call({FUNCTION!r}, {{'how': 'sleep'}})\n"
    )
    parent = subprocess.Popen(
        [sys.executable, "-c", code], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, env=child_environment()
    )
    assert parent.stdout is not None
    child = int(parent.stdout.readline())
    time.sleep(0.3)
    parent.send_signal(signal.SIGINT)
    assert parent.wait(timeout=20) != 0
    with pytest.raises(ProcessLookupError):
        os.kill(child, 0)
