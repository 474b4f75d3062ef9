"""Run firmware on a core that QEMU emulates, and count instructions: one is one virtual nanosecond."""

from __future__ import annotations

import contextlib
import dataclasses
import functools
import re
import shutil
import subprocess
import tempfile
from pathlib import Path
from types import TracebackType
from typing import IO, Self

import serial

from edgekit.deploy import _serial_pipe
from edgekit.deploy._qmp import Qmp
from edgekit.deploy.flash_esptool import merge_flash_image
from edgekit.errors import DeviceError, PortError, ToolchainError, ToolMissingError
from edgekit.targets import Emulator
from edgekit.toolchains import Firmware

# Started paused: what the firmware sends before somebody listens would be dropped.
_SERIAL = ("-display", "none", "-monitor", "none", "-serial", "pty", "-qmp", "stdio", "-S")


class QemuLink:
    """A byte pipe to an emulated core; see `Link`. Ends with its process.

    Args:
        emulator: what to start.
        arguments: all of them, the firmware's file among them.
        keep: a folder that the emulator reads; removed when it has ended.
        shift: one instruction takes 2^shift ns of virtual time.
    """

    def __init__(
        self,
        emulator: Emulator,
        arguments: tuple[str, ...],
        keep: tempfile.TemporaryDirectory[str] | None = None,
        *,
        shift: int = 0,
    ) -> None:
        self.clock, self.tick_ns = emulator.clock, emulator.tick_ns
        self.description = " ".join((emulator.command, *emulator.arguments))
        self._errors: IO[bytes] = tempfile.TemporaryFile()  # noqa: SIM115 - closed by _stop
        self._line: serial.Serial | None = None
        self._keep = keep
        self._process = subprocess.Popen(
            # Virtual time does not wait for real time.
            _guarded([emulator.command, *_SERIAL, "-icount", f"shift={shift},sleep=off", *arguments]),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._errors,
        )
        try:
            self._start(emulator.command)
        except BaseException:
            self._stop()
            raise

    def _start(self, command: str) -> None:
        try:
            qmp = Qmp(self._process, command)
            self.emulator: str | None = f"{command} {qmp.version}"
            (terminal,) = (
                device["filename"].removeprefix("pty:")
                for device in qmp.execute("query-chardev")
                if device["label"] == "serial0"
            )
            self._line = serial.Serial(terminal, 115200, exclusive=True, write_timeout=_serial_pipe.WRITE_LIMIT_S)
            qmp.execute("cont")
        except ToolchainError as error:
            raise ToolchainError(f"{error.what}{self._complaint()}", hint=error.hint) from error
        except serial.SerialException as error:
            raise PortError(
                f"the pseudo-terminal of {command} cannot be opened: {error}",
                hint="check that /dev/pts is mounted and that you may open terminals in it",
            ) from error

    def write(self, data: bytes) -> None:
        assert self._line is not None
        try:
            _serial_pipe.write(self._line, data, self.description)
        except DeviceError:
            self._check_alive(wait_s=1.0)
            raise

    def read(self, timeout_s: float) -> bytes:
        assert self._line is not None
        try:
            data = _serial_pipe.read(self._line, timeout_s, self.description)
        except DeviceError:
            self._check_alive(wait_s=1.0)  # its terminal goes a moment before it does
            raise
        if not data:
            self._check_alive()
        return data

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stop()

    def _stop(self) -> None:
        self._process.kill()
        self._process.wait()
        for pipe in (self._process.stdin, self._process.stdout, self._errors, self._line):
            if pipe is not None:
                pipe.close()
        if self._keep is not None:
            self._keep.cleanup()

    def _check_alive(self, wait_s: float = 0.0) -> None:
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(wait_s)
            raise DeviceError(
                f"{self.description} ended in the middle of a run (code {self._process.returncode}){self._complaint()}",
                hint="`edgekit doctor` names the version that is known to work",
            )

    def _complaint(self) -> str:
        """The first line that the emulator wrote to its standard error, if any."""
        self._errors.seek(0)
        lines = self._errors.read(4096).decode("utf-8", "replace").strip().splitlines()
        return f": {lines[0]}" if lines else ""


def open(firmware: Firmware, *, shift: int = 0) -> QemuLink:  # noqa: A001 - every module that makes a link has this name
    """Start firmware on its target's emulated core.

    Args:
        firmware: of a target with an emulator of kind "qemu".
        shift: one instruction takes 2^shift ns of virtual time; above 0 only on the machine of `arguments`, and with
            ticks that count so much more.

    Returns:
        A link whose ticks count instructions; two runs of the same firmware count the same.

    Raises:
        ToolMissingError: QEMU is not installed.
        ToolchainError: QEMU refused to start; the message ends with its first line.
    """
    emulator = firmware.target.emulator
    assert emulator is not None, "the caller chose this module by the target's emulator"
    if shutil.which(emulator.command) is None:
        raise ToolMissingError(emulator.command, package=emulator.package)
    if shift == 0 and emulator.chip_machine is not None and emulator.chip_machine in _machines(emulator.command):
        return _boot_flash(firmware, emulator, emulator.chip_machine)
    arguments = _one_instruction_at_a_time(emulator)
    return QemuLink(emulator, (*arguments, "-kernel", str(firmware.emulated_elf.resolve())), shift=shift)


def _boot_flash(firmware: Firmware, emulator: Emulator, machine: str) -> QemuLink:
    """Start the whole chip: its ROM boots the image that `edgekit flash` would write."""
    folder = tempfile.TemporaryDirectory(prefix="edgekit-")
    try:
        flash = Path(folder.name) / "flash.bin"
        merge_flash_image(firmware, flash)
        chip = dataclasses.replace(emulator, arguments=("-M", machine))
        return QemuLink(chip, (*chip.arguments, "-drive", f"file={flash},if=mtd,format=raw"), keep=folder)
    except BaseException:
        folder.cleanup()
        raise


@functools.cache
def _machines(command: str) -> frozenset[str]:
    """Names of the machines that a QEMU has; empty when it does not say."""
    ran = subprocess.run([command, "-M", "help"], capture_output=True, text=True, timeout=30, check=False)
    return frozenset(line.split()[0] for line in ran.stdout.splitlines()[1:] if line.strip())


def _one_instruction_at_a_time(emulator: Emulator) -> tuple[str, ...]:
    """The emulator's arguments, -singlestep in the form that this version of QEMU knows."""
    if "-singlestep" not in emulator.arguments or _version(emulator.command) < (8, 1):
        return emulator.arguments
    others = tuple(argument for argument in emulator.arguments if argument != "-singlestep")
    return (*others, "-accel", "tcg,one-insn-per-tb=on")


@functools.cache
def _version(command: str) -> tuple[int, int]:
    """Major and minor version of a QEMU; (0, 0) when it does not say."""
    ran = subprocess.run([command, "--version"], capture_output=True, text=True, timeout=30, check=False)
    found = re.search(r"version (\d+)\.(\d+)", ran.stdout)
    return (int(found[1]), int(found[2])) if found else (0, 0)


def _guarded(command: list[str]) -> list[str]:
    """Let the kernel end the emulator with us, even when we are killed: a core that spins would run on for ever."""
    setpriv = shutil.which("setpriv")
    return [setpriv, "--pdeathsig", "KILL", *command] if setpriv else command
