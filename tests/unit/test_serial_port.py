"""Serial ports, on pseudo-terminals: absent, busy, forbidden, unplugged, and sound."""

from __future__ import annotations

import errno
import os
import select
import subprocess
import sys
import threading
import tty
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import serial
from fake_firmware import HELLO, firmware, model, samples

from edgekit import targets
from edgekit.deploy import serial_port
from edgekit.errors import DeviceError, PortError
from edgekit.harness.fake import FakeDevice
from edgekit.harness.measure import measure

HOST, ESP32 = targets.load("host"), targets.load("esp32")


@pytest.fixture(autouse=True)
def _own_locks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "locks"))


class Terminal:
    """A pseudo-terminal: the port's name, and a board behind it when there is one."""

    def __init__(self) -> None:
        self._ours, self._theirs = os.openpty()
        tty.setraw(self._theirs)
        self.port = os.ttyname(self._theirs)
        self._over = threading.Event()
        self._board: threading.Thread | None = None

    def plug(self, device: FakeDevice, portions: int = 1 << 30) -> None:
        """Be a board that is unplugged behind so many portions of bytes."""
        self._board = threading.Thread(target=self._serve, args=(device, portions))
        self._board.start()

    def send(self, data: bytes) -> None:
        os.write(self._ours, data)

    def close(self) -> None:
        self._over.set()
        if self._board is None:
            os.close(self._ours)
        else:
            self._board.join()
        os.close(self._theirs)

    def _serve(self, device: FakeDevice, portions: int) -> None:
        while portions > 0 and not self._over.is_set():
            if select.select([self._ours], [], [], 0.05)[0]:
                device.write(os.read(self._ours, 4096))
                os.write(self._ours, device.read(0))
                portions -= 1
        os.close(self._ours)


@pytest.fixture
def terminal() -> Iterator[Terminal]:
    made = Terminal()
    yield made
    made.close()


@pytest.mark.parametrize("target", [HOST, ESP32])
def test_a_board_is_measured(terminal: Terminal, target: targets.Target) -> None:
    terminal.plug(FakeDevice(model, HELLO))
    inputs = samples(2)
    with serial_port.open(terminal.port, target) as link:
        measured = measure(link, firmware(), inputs, tuple(map(model, inputs)))
    assert measured.per_run == (pytest.approx(1.001), pytest.approx(1.002))
    assert (measured.clock, measured.link, measured.emulator) == ("hardware timer", terminal.port, None)


def test_a_board_unplugged_in_the_middle_is_told(terminal: Terminal) -> None:
    terminal.plug(FakeDevice(model, HELLO), portions=5)
    with serial_port.open(terminal.port, HOST) as link, pytest.raises(DeviceError, match="went away"):
        measure(link, firmware(), samples(3), tuple(map(model, samples(3))))


def test_a_silent_board_is_told(terminal: Terminal) -> None:
    with serial_port.open(terminal.port, HOST) as link:
        assert link.read(0.05) == b""
        terminal.send(b"ets Jul 29 2019\r\n")
        assert link.read(5) == b"ets Jul 29 2019\r\n"


def test_an_absent_port_is_told_with_those_there_are(monkeypatch: pytest.MonkeyPatch) -> None:
    class Found:
        device = "/dev/ttyUSB7"

    monkeypatch.setattr(serial_port.list_ports, "comports", lambda: [Found()])
    with pytest.raises(PortError, match=r"no serial port /dev/ttyUSB99; found: /dev/ttyUSB7"):
        serial_port.open("/dev/ttyUSB99", ESP32)


def test_a_file_is_no_port(tmp_path: Path) -> None:
    file = tmp_path / "notes.txt"
    file.write_text("no terminal")
    with pytest.raises(PortError, match="no usable serial port"):
        serial_port.open(str(file), ESP32)


def test_a_port_that_this_process_has_is_busy_until_it_is_closed(terminal: Terminal) -> None:
    with serial_port.open(terminal.port, HOST), pytest.raises(PortError, match="busy"):
        serial_port.open(terminal.port, HOST)
    with serial_port.open(terminal.port, HOST):
        pass


def test_a_link_to_the_device_is_the_same_port(terminal: Terminal, tmp_path: Path) -> None:
    alias = tmp_path / "board"
    alias.symlink_to(terminal.port)
    with serial_port.open(terminal.port, HOST), pytest.raises(PortError, match="busy"):
        serial_port.open(str(alias), HOST)


def test_the_program_that_has_the_port_is_named(terminal: Terminal) -> None:
    script = f"import os, sys; os.open({terminal.port!r}, os.O_RDWR | os.O_NOCTTY); print('open', flush=True); input()"
    with subprocess.Popen([sys.executable, "-c", script], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as other:
        assert other.stdout is not None
        assert other.stdout.readline() == b"open\n"
        with pytest.raises(PortError, match=rf"python.* \(process {other.pid}\) has it open"):
            serial_port.open(terminal.port, HOST)
        other.kill()
    with serial_port.open(terminal.port, HOST):  # the lock was let go with the refusal
        pass


@pytest.mark.parametrize(
    ("number", "words"),
    [(errno.EACCES, "may not open"), (errno.EBUSY, "busy"), (errno.EAGAIN, "busy"), (errno.ENODEV, "no serial port")],
)
def test_what_the_system_refuses_is_told(
    number: int, words: str, terminal: Terminal, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(self: serial.Serial) -> None:
        raise serial.SerialException(number, os.strerror(number))

    monkeypatch.setattr(serial.Serial, "open", refuse)
    with pytest.raises(PortError, match=words):
        serial_port.open(terminal.port, HOST)


class Recorded:
    """A serial port that writes down what happens to its lines."""

    def __init__(self, *_: Any, **options: Any) -> None:
        self.__dict__["seen"] = []
        self.options = options

    def __setattr__(self, name: str, value: Any) -> None:
        self.seen.append((name, value))

    def open(self) -> None:
        self.seen.append(("open", None))

    def close(self) -> None:
        self.seen.append(("close", None))

    def reset_input_buffer(self) -> None:
        self.seen.append(("forget", None))


@pytest.mark.parametrize(("target", "reset"), [(ESP32, True), (HOST, False)])
def test_lines_are_quiet_before_the_port_opens_and_pull_reset_on_purpose(
    target: targets.Target, reset: bool, terminal: Terminal, monkeypatch: pytest.MonkeyPatch
) -> None:
    made: list[Recorded] = []

    def record(*arguments: Any, **options: Any) -> Recorded:
        made.append(Recorded(*arguments, **options))
        return made[0]

    monkeypatch.setattr(serial_port.serial, "Serial", record)
    with serial_port.open(terminal.port, target):
        pass
    seen = [event for event in made[0].seen if event[0] != "options"]
    opening = [("port", terminal.port), ("dtr", False), ("rts", False), ("open", None)]
    pulse = [("dtr", False), ("rts", True), ("forget", None), ("rts", False)]
    assert sorted(map(str, seen[:4])) == sorted(map(str, opening))
    assert seen[3] == ("open", None)
    assert seen[4:] == [*(pulse if reset else []), ("close", None)]
    assert dict(made[0].seen)["options"]["exclusive"] is True
