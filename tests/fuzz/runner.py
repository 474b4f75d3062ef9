"""Runs models in a child that is started again after each crash or hang."""

from __future__ import annotations

import contextlib
import os
import select
import struct
import subprocess
import sys
import time
from pathlib import Path
from types import TracebackType

from edgekit.child_process import child_environment, describe_exit
from edgekit.tflite.interpreters import Interpreter

_START_S, _HANG_S = 120.0, 60.0
_LETTERS = {
    Interpreter.TFLM: b"t",
    Interpreter.LITERT_REFERENCE: b"r",
    Interpreter.LITERT: b"l",
    Interpreter.LITERT_XNNPACK: b"x",
}
# All that run in one environment.
INTERPRETERS = tuple(_LETTERS)


class Runner:
    """All interpreters over many models, in one child; a context manager.

    Attributes:
        slowest_s: the longest run.
        ran: the last model ran; False where the interpreter refused it.
    """

    def __init__(self) -> None:
        self._child: subprocess.Popen[bytes] | None = None
        self.slowest_s, self.ran = 0.0, False

    def __enter__(self) -> Runner:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._end()

    def fault(self, flatbuffer: bytes, interpreter: Interpreter) -> str | None:
        """Run a model; return how the interpreter crashed or hung, None where it lived."""
        child = self._child or self._start()
        assert child.stdin is not None
        started = time.monotonic()
        with contextlib.suppress(BrokenPipeError):
            child.stdin.write(_LETTERS[interpreter] + struct.pack("<I", len(flatbuffer)) + flatbuffer)
            child.stdin.flush()
        said = self._hear(_HANG_S)
        seconds = time.monotonic() - started
        self.slowest_s = max(self.slowest_s, seconds)
        self.ran = said == b"."
        if said in (b".", b"-"):
            return None
        is_hung = child.poll() is None and seconds >= _HANG_S
        ended = self._end()
        return f"{interpreter.label} hung" if is_hung else f"{interpreter.label} {ended}"

    def _start(self) -> subprocess.Popen[bytes]:
        environment = child_environment(TF_CPP_MIN_LOG_LEVEL="3", OMP_NUM_THREADS="1")
        command = [sys.executable, str(Path(__file__).with_name("runner_child.py"))]
        self._child = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, env=environment
        )
        assert self._hear(_START_S) == b"+", "the child did not start"
        return self._child

    def _hear(self, limit_s: float) -> bytes:
        """Read the answer of a byte; nothing where the child ended or the limit came."""
        assert self._child is not None and self._child.stdout is not None
        descriptor = self._child.stdout.fileno()
        ready, _, _ = select.select([descriptor], [], [], limit_s)
        return os.read(descriptor, 1) if ready else b""

    def _end(self) -> str:
        """Kill the child; return how it had ended."""
        child, self._child = self._child, None
        if child is None:
            return "was not there"
        try:
            child.wait(timeout=0.5 if child.poll() is None else 5)
        except subprocess.TimeoutExpired:
            child.kill()
            child.wait()
        for stream in (child.stdin, child.stdout):
            assert stream is not None
            with contextlib.suppress(BrokenPipeError):
                stream.close()
        return describe_exit(child.returncode)
