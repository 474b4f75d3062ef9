"""One long-lived child process for everything that needs TensorFlow or Keras.

The converter can segfault and a model can eat all memory. In a child that is an error message; and the noise that
C++ libraries write to file descriptors 1 and 2 lands in a log file, not on the user's terminal.
"""

from __future__ import annotations

import importlib
import json
import subprocess
import tempfile
import time
from collections.abc import Mapping
from multiprocessing.connection import Connection, Pipe
from pathlib import Path
from types import TracebackType
from typing import Any

from edgekit.child_process import child_environment, describe_exit, last_relevant_line, python_command
from edgekit.errors import EdgeKitError, ModelError
from edgekit.progress import Progress, silent

# Sums in another order give other bits: the thread count is part of "same input, same bytes".
_THREADS = 2
_ENVIRONMENT = {
    "TF_CPP_MIN_LOG_LEVEL": "3",
    "TF_NUM_INTRAOP_THREADS": str(_THREADS),
    "TF_NUM_INTEROP_THREADS": "1",
    "OMP_NUM_THREADS": str(_THREADS),
    "CUDA_VISIBLE_DEVICES": "-1",
    "KERAS_BACKEND": "tensorflow",
    "PYTHONHASHSEED": "0",
    # The log is read for the reason of a crash; deprecations are none.
    "PYTHONWARNINGS": "ignore",
}


class WorkerCrashError(ModelError):
    """The child was ended by a signal or by running out of memory (exit 3); `step` is what it was at."""

    def __init__(self, what: str, *, hint: str, step: str) -> None:
        super().__init__(what, hint=hint)
        self.step = step


class Worker:
    """A child process that runs functions of EdgeKit; a context manager.

    Args:
        memory_limit_bytes: limit of the child's writable memory; None for no limit but the machine's.

    Example:
        >>> with Worker() as worker:
        ...     answer = worker.call("edgekit.worker_main:echo", {"number": 3})
        >>> answer
        {'number': 3}
    """

    def __init__(self, *, memory_limit_bytes: int | None = None) -> None:
        self._memory_limit_bytes = memory_limit_bytes
        self._step = "starting"
        self._process: subprocess.Popen[bytes] | None = None
        self._connection: Connection[Any, Any] | None = None
        self._log: Path | None = None

    def __enter__(self) -> Worker:
        ours, theirs = Pipe()
        extra = dict(_ENVIRONMENT, EDGEKIT_WORKER_FD=str(theirs.fileno()))
        if self._memory_limit_bytes is not None:
            extra["EDGEKIT_WORKER_MEMORY_BYTES"] = str(self._memory_limit_bytes)
        with tempfile.NamedTemporaryFile(prefix="edgekit-", suffix=".log", delete=False) as log, theirs:
            self._log = Path(log.name)
            self._process = subprocess.Popen(
                python_command("edgekit.worker_main"),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                pass_fds=(theirs.fileno(),),
                env=child_environment(**extra),
            )
        self._connection = ours
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        assert self._process is not None and self._connection is not None and self._log is not None
        # On a healthy end the child sees the closed pipe and leaves; otherwise (also Ctrl-C) it is not waited for.
        self._connection.close()
        if kind is not None:
            self._process.kill()
        try:
            self._process.wait(timeout=5)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._log.unlink(missing_ok=True)

    def call(
        self,
        function: str,
        request: Mapping[str, Any],
        progress: Progress = silent,
        *,
        timeout_s: float | None = None,
    ) -> dict[str, Any]:
        """Run a function in the child.

        Args:
            function: "module:function"; it gets `(request, progress)` and returns an object that JSON can hold.
            request: an object that JSON can hold; large things go by path.
            progress: told what the child tells.
            timeout_s: limit in seconds; None for none.

        Returns:
            What the function returned.

        Raises:
            EdgeKitError: of the class that was raised in the child.
            ModelError: the child crashed, ran out of memory or of time, or failed unforeseen; the message names the
                step that it was at.
        """
        assert self._connection is not None, "a Worker is used inside a with statement"
        self._step = function.rpartition(":")[2].replace("_", " ")
        deadline = None if timeout_s is None else time.monotonic() + timeout_s
        try:
            self._connection.send_bytes(json.dumps({"function": function, "request": request}).encode())
            while True:
                message = self._receive(deadline, timeout_s)
                if "progress" in message:
                    self._step = message["progress"][0]
                    progress(*message["progress"])
                elif "error" in message:
                    raise _rebuild(message["error"])
                elif "failure" in message:
                    raise self._failure(message["failure"])
                else:
                    result: dict[str, Any] = message["result"]
                    return result
        except (EOFError, BrokenPipeError, ConnectionResetError) as error:
            raise self._crash() from error

    def _receive(self, deadline: float | None, timeout_s: float | None) -> dict[str, Any]:
        assert self._connection is not None
        if deadline is not None and not self._connection.poll(max(0.0, deadline - time.monotonic())):
            assert self._process is not None
            self._process.kill()
            raise ModelError(
                f"no end within {timeout_s:g} s while at: {self._step}",
                hint="give a smaller model or fewer samples, or a machine with less else to do",
            )
        message: dict[str, Any] = json.loads(self._connection.recv_bytes())
        return message

    def _crash(self) -> WorkerCrashError:
        assert self._process is not None and self._log is not None
        try:
            ended = describe_exit(self._process.wait(timeout=10))
        except subprocess.TimeoutExpired:
            ended = "closed its pipe"
        said = last_relevant_line(self._log.read_text("utf-8", errors="replace"))
        limit = self._memory_limit_bytes
        limited = f" (memory limit {limit:,} B)" if limit is not None else ""
        return WorkerCrashError(
            f"the TensorFlow process {ended}{limited} while at: {self._step}"
            + (f"; its last words: {said}" if said else ""),
            hint="simplify the layer or step named, or free memory",
            step=self._step,
        )

    def _failure(self, text: str) -> ModelError:
        if text.startswith("MemoryError"):
            limit = self._memory_limit_bytes
            limited = f" of {limit:,} B" if limit is not None else ""
            return WorkerCrashError(
                f"the TensorFlow process ran out of its memory{limited} while at: {self._step} ({text})",
                hint="give a smaller model, more with --memory-limit, or a machine with more memory",
                step=self._step,
            )
        return ModelError(
            f"TensorFlow failed while at: {self._step}: {text}",
            hint="replace the layer or the setting that the message names, and try again",
        )


def _rebuild(error: Mapping[str, str]) -> EdgeKitError:
    """Make the error that the child raised; constructors of subclasses take other arguments, so none is called."""
    kind: Any = importlib.import_module(error["module"])
    for part in error["name"].split("."):
        kind = getattr(kind, part)
    rebuilt: EdgeKitError = kind.__new__(kind)
    EdgeKitError.__init__(rebuilt, error["what"], hint=error["hint"])
    return rebuilt
