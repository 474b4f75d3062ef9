"""Espressif's chips are flashed by esptool, started as a program."""

from __future__ import annotations

import re
import subprocess
import tempfile
import threading
from collections.abc import Sequence
from pathlib import Path

from edgekit.atomic import write_atomically
from edgekit.errors import DeviceError, EdgeKitError, PortError, ToolchainError
from edgekit.progress import Progress, silent
from edgekit.targets import Target
from edgekit.toolchains import Firmware
from edgekit.toolchains._esp_image import ESPTOOL
from edgekit.toolchains._gcc import run

# esptool connects at 115,200 and then speeds up; a long cable or a cheap bridge damages packets at the higher rates.
_BAUD_RATES = (921_600, 460_800, 115_200)
_TIME_LIMIT_S = 900
_PERCENT = re.compile(r"(\d+)(?:\.\d+)?\s?%")


def flash(
    firmware_images: tuple[tuple[int, Path], ...],
    target: Target,
    port: str,
    progress: Progress = silent,
    *,
    esptool: Sequence[str] = ESPTOOL,
) -> None:
    """Write images to a board's flash; esptool verifies each by its MD5.

    Args:
        firmware_images: (flash address, file), as of `Firmware.images`.
        target: what the board is; its port is the chip's name in esptool.
        port: serial port, e.g. ``/dev/ttyUSB0``.
        progress: told the percentage of each image.
        esptool: program and first arguments.

    Raises:
        PortError: the port is absent, busy, or may not be opened.
        DeviceError: the chip is silent, another chip, or it failed while it was written.
        ToolchainError: esptool itself failed.
    """
    files = [word for address, path in firmware_images for word in (hex(address), str(path))]
    failure: EdgeKitError | None = None
    for baud in _BAUD_RATES:
        command = [
            *esptool,
            *("--chip", target.port, "--port", port, "--baud", str(baud)),
            *("write-flash", "--flash-size", "detect", *files),
        ]
        progress(f"flash {target.name} at {baud:,} baud")
        code, output = _stream(command, progress)
        if code == 0:
            return
        failure = failure_of(output, target, port)
        if not isinstance(failure, TransferError):
            break
    assert failure is not None
    raise failure


class TransferError(DeviceError):
    """The chip answered, then the transfer broke: a lower baud rate may help (exit 6)."""


def failure_of(output: str, target: Target, port: str) -> EdgeKitError:
    """Return the error that fits what esptool said.

    Args:
        output: everything it printed.
        target: what the board should be.
        port: the serial port that was named.

    Example:
        >>> from edgekit import targets
        >>> said = "A fatal error occurred: Failed to connect to ESP32: No serial data received."
        >>> failure_of(said, targets.load("esp32"), "/dev/ttyUSB0").exit_code
        6
    """
    said = _sentence(output)
    if "Could not open" in output or "could not open port" in output:
        return _port_failure(output, port)
    other = re.search(r"This chip is (\S+?),? not", output)
    if other is not None:
        return DeviceError(
            f"the chip at {port} is an {other[1]}, the firmware is for {target.name}",
            hint="build for that chip (`edgekit targets` lists the targets), or choose another --port",
        )
    if "Failed to connect" in output or "No serial data received" in output:
        return DeviceError(
            f"the chip at {port} is silent: {said}",
            hint="hold the BOOT button while flashing starts (press and release EN if there is one), check the cable, "
            "and that the board is an Espressif one",
        )
    if "No module named" in output or "No such command" in output or "Usage:" in output:
        return ToolchainError(
            f"esptool failed: {said}", hint="install a current one: pip install 'esptool>=5.3,<6'; see `edgekit doctor`"
        )
    return TransferError(
        f"flashing {target.name} at {port} failed at every baud rate: {said}",
        hint="use a shorter USB cable or another USB port, then flash again; until then the board may not boot",
    )


def _port_failure(output: str, port: str) -> PortError:
    if "Errno 2]" in output or "FileNotFoundError" in output:
        return PortError(
            f"there is no serial port {port}", hint="plug the board in; `edgekit doctor` lists the ports that exist"
        )
    if "Errno 13]" in output or "Permission" in output:
        return PortError(
            f"the serial port {port} may not be opened by this user",
            hint="add yourself to its group and log in again: sudo usermod -aG dialout $USER (on Arch: uucp)",
        )
    return PortError(
        f"the serial port {port} is busy",
        hint=f"close the program that has it open (see: fuser -v {port}), then try again",
    )


def _sentence(output: str) -> str:
    """Return the line in which esptool says what went wrong."""
    lines = [line.strip() for line in output.splitlines() if line.strip()]
    fatal = [line.partition("error occurred:")[2].strip() for line in lines if "error occurred:" in line]
    return fatal[-1] if fatal else lines[-1] if lines else "it said nothing"


def _stream(command: Sequence[str], progress: Progress) -> tuple[int, str]:
    """Run a program to its end, telling its percentages; return its exit code and what it printed."""
    try:
        process = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
        )
    except OSError as error:
        return 127, f"No module named esptool ({error.strerror}: {command[0]})"
    limit = threading.Timer(_TIME_LIMIT_S, process.kill)
    limit.start()
    lines: list[str] = []
    try:
        assert process.stdout is not None
        for line in process.stdout:
            lines.append(line)
            percent = _PERCENT.search(line)
            if percent is not None:
                progress("write flash", int(percent[1]), 100)
        return process.wait(), "".join(lines)
    finally:
        limit.cancel()
        process.kill()
        process.wait()


def merge_flash_image(firmware: Firmware, path: Path) -> None:
    """Write the whole flash as one file, padded with 0xFF to the flash's size: what an emulated chip boots.

    Args:
        firmware: of a target that esptool flashes.
        path: the file to write.

    Raises:
        ToolchainError: esptool failed.
    """
    size = f"{firmware.target.flash_bytes >> 20}MB"
    files = [word for address, image in firmware.images for word in (hex(address), str(image.resolve()))]
    with tempfile.TemporaryDirectory(prefix="edgekit-") as folder:
        merged = Path(folder) / "flash.bin"
        command = [*ESPTOOL, "--chip", firmware.target.port, "merge-bin", "--pad-to-size", size]
        run([*command, "--output", str(merged), *files], Path(folder), package="python3-esptool")
        write_atomically(path, merged.read_bytes())
