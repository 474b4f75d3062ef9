"""Run firmware as a process of this computer: its standard input and output are the serial line."""

from __future__ import annotations

import socket
import subprocess
from types import TracebackType
from typing import Self

from edgekit.errors import DeviceError, ToolchainError
from edgekit.toolchains import Firmware

_HINT = "build again; if it stays, run the firmware under a debugger and report it as a fault of EdgeKit"


class HostLink:
    """A byte pipe to a firmware process; see `Link`."""

    clock = "host"
    tick_ns = 0
    emulator: str | None = None

    def __init__(self, firmware: Firmware) -> None:
        elf = firmware.emulated_elf
        self.description = f"{elf.name} on this computer"
        self._socket, theirs = socket.socketpair()
        with theirs:
            try:
                self._process = subprocess.Popen(
                    [str(elf.resolve())], stdin=theirs.fileno(), stdout=theirs.fileno(), stderr=subprocess.DEVNULL
                )
            except OSError as error:
                self._socket.close()
                raise ToolchainError(
                    f"{elf.name} cannot be run on this computer: {error.strerror}", hint="build it again"
                ) from error

    def write(self, data: bytes) -> None:
        try:
            self._socket.sendall(data)
        except OSError as error:
            raise self._ended() from error

    def read(self, timeout_s: float) -> bytes:
        self._socket.settimeout(max(timeout_s, 0.001))
        try:
            data = self._socket.recv(4096)
        except TimeoutError:
            return b""
        except OSError as error:
            raise self._ended() from error
        if not data:
            raise self._ended()
        return data

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._socket.close()
        self._process.kill()
        self._process.wait()

    def _ended(self) -> DeviceError:
        code = self._process.wait()
        how = f"by signal {-code}" if code < 0 else f"with exit code {code}"
        return DeviceError(f"the firmware process ended {how} in the middle of a run", hint=_HINT)


def open(firmware: Firmware) -> HostLink:  # noqa: A001 - every module that makes a link has this name
    """Start firmware that was built for this computer.

    Args:
        firmware: its ELF is started as a process, which ends with the link.

    Returns:
        A link whose clock is the computer's own: a time, and one that other programs disturb.

    Raises:
        ToolchainError: the ELF is missing or not for this computer.
    """
    return HostLink(firmware)
