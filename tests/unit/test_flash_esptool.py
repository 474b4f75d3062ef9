"""Flashing, with a program in esptool's place that says what esptool says."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from edgekit import targets
from edgekit.deploy.flash_esptool import flash
from edgekit.errors import DeviceError, EdgeKitError, PortError, ToolchainError

ESP32 = targets.load("esp32")

FATAL = "A fatal error occurred: "
SAID = {
    "absent": FATAL + "Could not open /dev/x, the port is busy or doesn't exist.\n"
    "([Errno 2] could not open port /dev/x: [Errno 2] No such file or directory: '/dev/x')",
    "busy": FATAL + "Could not open /dev/x, the port is busy or doesn't exist.\n"
    "([Errno 11] Could not exclusively lock port /dev/x: [Errno 11] Resource temporarily unavailable)",
    "forbidden": FATAL + "Could not open /dev/x, the port is busy or doesn't exist.\n"
    "([Errno 13] could not open port /dev/x: [Errno 13] Permission denied: '/dev/x')",
    "silent": FATAL + "Failed to connect to ESP32: No serial data received.",
    "wrong chip": FATAL + "This chip is ESP32-C3, not ESP32. Wrong chip argument?",
    "broken": FATAL + "Packet content transfer stopped (received 8 bytes)",
    "no esptool": "/usr/bin/python3: No module named esptool",
}


def fake(folder: Path, script: str) -> tuple[str, ...]:
    """A program that logs its arguments and runs a script."""
    path = folder / "esptool.py"
    log = f"import sys\nopen({str(folder / 'log')!r}, 'a').write(' '.join(sys.argv[1:]) + '\\n')\n"
    path.write_text(log + script)
    return (sys.executable, str(path))


def calls(folder: Path) -> list[str]:
    """The arguments of each call."""
    return (folder / "log").read_text().splitlines()


def images(folder: Path) -> tuple[tuple[int, Path], ...]:
    """Two files to flash."""
    pairs = ((0x1000, folder / "boot.bin"), (0x10000, folder / "code.bin"))
    for _, path in pairs:
        path.write_bytes(b"x")
    return pairs


def test_flash_gives_esptool_chip_port_and_addresses(tmp_path: Path) -> None:
    told: list[tuple[str, int, int | None]] = []
    tool = fake(tmp_path, "print('Writing at 0x00001000 [===>  ]  45.5% 10/20 bytes...')\n")
    flash(
        images(tmp_path),
        ESP32,
        "/dev/x",
        lambda what, done=0, total=None: told.append((what, done, total)),
        esptool=tool,
    )
    (call,) = calls(tmp_path)
    assert call.startswith("--chip esp32 --port /dev/x --baud 921600 write-flash --flash-size detect 0x1000 ")
    assert f"0x10000 {tmp_path / 'code.bin'}" in call
    assert ("write flash", 45, 100) in told


@pytest.mark.parametrize(
    ("case", "kind", "what", "hint"),
    [
        ("absent", PortError, "no serial port /dev/x", "plug"),
        ("busy", PortError, "busy", "close the program"),
        ("forbidden", PortError, "may not be opened", "dialout"),
        ("silent", DeviceError, "silent", "BOOT"),
        ("wrong chip", DeviceError, "ESP32-C3", "edgekit targets"),
        ("no esptool", ToolchainError, "No module named esptool", "pip install"),
    ],
)
def test_failures_that_another_rate_does_not_cure(
    case: str, kind: type[EdgeKitError], what: str, hint: str, tmp_path: Path
) -> None:
    tool = fake(tmp_path, f"print({SAID[case]!r})\nsys.exit(2)\n")
    with pytest.raises(kind, match=what) as caught:
        flash(images(tmp_path), ESP32, "/dev/x", esptool=tool)
    assert hint in caught.value.hint
    assert len(calls(tmp_path)) == 1


def test_a_broken_transfer_is_tried_at_lower_rates(tmp_path: Path) -> None:
    script = f"if '921600' in sys.argv:\n    print({SAID['broken']!r})\n    sys.exit(2)\n"
    flash(images(tmp_path), ESP32, "/dev/x", esptool=fake(tmp_path, script))
    assert [call.split()[5] for call in calls(tmp_path)] == ["921600", "460800"]


def test_a_transfer_that_breaks_at_every_rate(tmp_path: Path) -> None:
    tool = fake(tmp_path, f"print({SAID['broken']!r})\nsys.exit(2)\n")
    with pytest.raises(DeviceError, match="Packet content transfer stopped") as caught:
        flash(images(tmp_path), ESP32, "/dev/x", esptool=tool)
    assert caught.value.exit_code == 6
    assert [call.split()[5] for call in calls(tmp_path)] == ["921600", "460800", "115200"]


def test_a_program_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(ToolchainError, match="esptool"):
        flash(images(tmp_path), ESP32, "/dev/x", esptool=(str(tmp_path / "absent"),))


def test_the_real_esptool_on_a_port_that_is_absent(tmp_path: Path) -> None:
    with pytest.raises(PortError, match="no serial port") as caught:
        flash(images(tmp_path), ESP32, str(tmp_path / "ttyNONE"))
    assert caught.value.exit_code == 5


def test_the_real_esptool_on_a_port_that_is_busy(tmp_path: Path) -> None:
    serial = pytest.importorskip("serial")
    controller, line = os.openpty()
    try:
        with serial.Serial(os.ttyname(line), exclusive=True), pytest.raises(PortError, match="busy"):
            flash(images(tmp_path), ESP32, os.ttyname(line))
    finally:
        os.close(controller)
        os.close(line)
