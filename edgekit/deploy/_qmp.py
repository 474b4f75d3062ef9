"""QEMU's machine protocol over the emulator's own standard input and output: no socket file to leave behind."""

from __future__ import annotations

import json
import os
import select
import subprocess
import time
from typing import Any

from edgekit.errors import ToolchainError

_LIMIT_S = 30.0


class Qmp:
    """Commands to a QEMU that was started with ``-qmp stdio``.

    Args:
        process: started with pipes for stdin and stdout.
        command: the emulator's name, for error messages.
    """

    def __init__(self, process: subprocess.Popen[bytes], command: str) -> None:
        self._process, self._command, self._pending = process, command, b""
        version = self._receive("QMP")["version"]["qemu"]
        self.version = f"{version['major']}.{version['minor']}.{version['micro']}"
        self.execute("qmp_capabilities")

    def execute(self, command: str) -> Any:
        """Run one command without arguments and return what it returns.

        Raises:
            ToolchainError: QEMU ended, or is silent.
        """
        assert self._process.stdin is not None
        try:
            self._process.stdin.write(json.dumps({"execute": command}).encode() + b"\n")
            self._process.stdin.flush()
        except OSError as error:
            raise self._failed("ended before it ran") from error
        return self._receive("return")

    def _receive(self, key: str) -> Any:
        """Return the value of `key` in the next message that has one; events and other lines are skipped."""
        end = time.monotonic() + _LIMIT_S
        while True:
            line = self._line(end)
            if line.startswith(b"{"):
                message = json.loads(line)
                if key in message:
                    return message[key]
                if "error" in message:
                    raise self._failed(f"refused a command: {message['error'].get('desc')}")

    def _line(self, end: float) -> bytes:
        assert self._process.stdout is not None
        descriptor = self._process.stdout.fileno()
        while b"\n" not in self._pending:
            if not select.select([descriptor], [], [], max(0.0, end - time.monotonic()))[0]:
                raise self._failed(f"was silent for {_LIMIT_S:g} s while it started")
            data = os.read(descriptor, 65536)
            if not data:
                raise self._failed("ended before it ran")
            self._pending += data
        line, _, self._pending = self._pending.partition(b"\n")
        return line.strip()

    def _failed(self, how: str) -> ToolchainError:
        return ToolchainError(f"{self._command} {how}", hint="`edgekit doctor` names the version that is known to work")
