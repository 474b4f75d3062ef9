"""A board on a serial port: opened without a surprise, reset on purpose, locked against a second run."""

from __future__ import annotations

import contextlib
import errno
import os
import re
import termios
import time
from pathlib import Path
from types import TracebackType
from typing import Self

import filelock
import platformdirs
import serial
from serial.tools import list_ports

from edgekit.deploy import _serial_pipe
from edgekit.errors import PortError
from edgekit.targets import Target

BAUD = 115200
# How long EN is held low; boards with a large capacitor on it need a tenth of a second.
_RESET_S = 0.1


class SerialLink:
    """A byte pipe to a board; see `Link`."""

    clock = "hardware timer"
    tick_ns = 0
    emulator: str | None = None

    def __init__(self, port: str, line: serial.Serial, held: filelock.BaseFileLock) -> None:
        self.description = port
        self._line, self._held = line, held

    def write(self, data: bytes) -> None:
        _serial_pipe.write(self._line, data, self.description)

    def read(self, timeout_s: float) -> bytes:
        return _serial_pipe.read(self._line, timeout_s, self.description)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with contextlib.suppress(OSError):
            self._line.close()
        self._held.release()


def open(port: str, target: Target) -> SerialLink:  # noqa: A001 - every module that makes a link has this name
    """Open a board's serial port and reset the board, so that it starts with us.

    Args:
        port: e.g. ``/dev/ttyUSB0``.
        target: a board that esptool flashes is reset through DTR and RTS; others run on.

    Returns:
        A link; the port is locked until it is closed.

    Raises:
        PortError: there is no such port, it is busy, or it may not be opened.
    """
    if not Path(port).exists():
        raise _absent(port)
    held = lock(port)
    try:
        line = _opened(port)
    except BaseException:
        held.release()
        raise
    if target.flasher == "esptool":
        _reset(line)
    return SerialLink(port, line, held)


def lock(port: str) -> filelock.BaseFileLock:
    """Keep a board to this process; other runs of EdgeKit find it busy until `release()`.

    Args:
        port: a device file; links to one device share a lock.

    Raises:
        PortError: another run has it.
    """
    name = re.sub(r"[^A-Za-z0-9]+", "-", str(Path(port).resolve())).strip("-")
    folder = platformdirs.user_cache_path("edgekit") / "ports"
    folder.mkdir(parents=True, exist_ok=True)
    held = filelock.FileLock(folder / f"{name}.lock")
    try:
        held.acquire(timeout=0)
    except filelock.Timeout:
        raise _busy(port) from None
    return held


def _opened(port: str) -> serial.Serial:
    if _holder(port) is not None:
        raise _busy(port)  # two readers of one port steal each other's bytes
    line = serial.Serial(None, BAUD, exclusive=True, write_timeout=_serial_pipe.WRITE_LIMIT_S)
    line.port = port
    # Opening asserts both lines by default, which holds or resets a board with the usual two-transistor circuit.
    line.dtr = line.rts = False
    try:
        line.open()
    except OSError as error:  # SerialException is one
        raise _refused(port, error) from error
    return line


def _reset(line: serial.Serial) -> None:
    """Pull EN low through RTS while DTR leaves the boot pin high; then forget what came before."""
    # A pseudo-terminal has no such lines: what runs behind it is not ours to reset.
    with contextlib.suppress(OSError, termios.error):
        line.dtr = False
        line.rts = True
        time.sleep(_RESET_S)
        line.reset_input_buffer()
        line.rts = False


def _refused(port: str, error: OSError) -> PortError:
    match error.errno:
        case errno.ENOENT | errno.ENXIO | errno.ENODEV:
            return _absent(port)
        case errno.EBUSY | errno.EAGAIN:
            return _busy(port)
        case errno.EACCES | errno.EPERM:
            return PortError(
                f"you may not open {port}",
                hint='join its group and log in again: sudo usermod -aG dialout "$USER" (uucp on some systems)',
            )
        case _:
            return PortError(
                f"{port} is no usable serial port: {error}", hint=f"give the port of the board; found: {_found()}"
            )


def _absent(port: str) -> PortError:
    return PortError(
        f"there is no serial port {port}; found: {_found()}",
        hint="plug the board in with a cable that carries data, and give its port; under WSL attach it with usbipd",
    )


def _busy(port: str) -> PortError:
    holder = _holder(port)
    return PortError(
        f"{port} is busy: {f'{holder} has it open' if holder else 'another program or run has it'}",
        hint="close that program (a serial monitor, ModemManager, another bench run) and run again",
    )


def _found() -> str:
    return ", ".join(sorted(found.device for found in list_ports.comports())) or "none"


def _holder(port: str) -> str | None:
    """Return "name (process 123)" of another process that has the port open, as far as we may look."""
    device = os.path.realpath(port)
    for process in Path("/proc").glob("[0-9]*"):
        if int(process.name) == os.getpid():
            continue
        with contextlib.suppress(OSError):
            if any(os.path.realpath(descriptor) == device for descriptor in (process / "fd").iterdir()):
                return f"{(process / 'comm').read_text().strip()} (process {process.name})"
    return None
