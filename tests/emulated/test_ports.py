"""Each port with the smallest application, over a pipe: start-up, self-test, memory, serial line, 64-bit timer."""

from __future__ import annotations

import select
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent.parent / "unit"))
from fake_sources import INPUT_BYTES, expected_output, fake_harness, fake_sources

from edgekit import targets, toolchains
from edgekit.errors import ToolMissingError
from edgekit.firmware_files import firmware_path
from edgekit.toolchains import Firmware, _gcc

EMULATED = [name for name in targets.names() if name != "host"]
INPUT = bytes(range(90, 90 + INPUT_BYTES))
# Emulated, self-test 00, and three facts: the stack is the linker script's, .bss is zero, .data has its values.
STARTED = {"host": "start 0003"} | dict.fromkeys(EMULATED, "start 1003")


@pytest.fixture
def firmware_with(monkeypatch: pytest.MonkeyPatch, tmp_path: Path):  # type: ignore[no-untyped-def]
    """Compile the fake model with the test application instead of the harness."""
    harness = fake_harness(tmp_path / "harness")

    def path(*parts: str) -> Path:
        return harness if parts == ("harness",) else firmware_path(*parts)

    def compile_for(name: str, passes: int = 1) -> Firmware:
        monkeypatch.setattr(_gcc, "firmware_path", path)
        target = targets.load(name)
        assert target.emulator is not None
        if name != "host" and shutil.which(target.emulator.command) is None:
            pytest.skip(f"{target.emulator.command} is not installed")
        try:
            return toolchains.load(target.toolchain).compile(fake_sources(passes=passes), target, tmp_path / name)
        except ToolMissingError as error:
            pytest.skip(error.what)

    return compile_for


def answers(firmware: Firmware, shift: int = 0, count: int = 1) -> tuple[str, list[tuple[int, bytes]]]:
    """Run it; return its first line, and (ticks, output) of each inference."""
    emulator = firmware.target.emulator
    assert emulator is not None
    command = [str(firmware.elf)]
    if emulator.kind == "qemu":
        serial = ["-nographic", "-monitor", "none", "-serial", "stdio", "-icount", f"shift={shift},sleep=off"]
        command = [emulator.command, *emulator.arguments, *serial, "-kernel", str(firmware.emulated_elf)]
    # Unbuffered: select must see what was not read yet.
    pipe = subprocess.PIPE
    process = subprocess.Popen(command, bufsize=0, stdin=pipe, stdout=pipe, stderr=subprocess.STDOUT)
    assert process.stdin is not None and process.stdout is not None
    try:
        first = line_with(process, b"start ").decode()
        results = []
        for _ in range(count):
            process.stdin.write(INPUT)
            process.stdin.flush()
            words = line_with(process, b"ticks ").split()
            results.append((int(words[1], 16), bytes.fromhex(words[3].decode())))
        return first, results
    finally:
        process.kill()
        process.wait()


def line_with(process: subprocess.Popen[bytes], start: bytes, limit_s: float = 240) -> bytes:
    """The next line that begins so: the longest take a minute where one instruction is emulated at a time."""
    assert process.stdout is not None
    deadline = time.monotonic() + limit_s
    line = b""
    while time.monotonic() < deadline:
        if not select.select([process.stdout], [], [], 1)[0]:
            continue
        byte = process.stdout.read(1)
        assert byte, f"the program ended after {line!r}"
        line += byte
        if byte == b"\n":
            if line.startswith(start):
                return line.strip()
            line = b""
    raise AssertionError(f"no line with {start!r} within {limit_s} s; last {line!r}")


def test_host_port_starts_answers_and_ends_with_its_line(firmware_with, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    firmware = firmware_with("host")
    first, results = answers(firmware, count=3)
    assert first == STARTED["host"]
    assert [output for _, output in results] == [expected_output(INPUT)] * 3
    done = subprocess.run([str(firmware.elf)], stdin=subprocess.DEVNULL, capture_output=True, timeout=20, check=False)
    assert done.returncode == 0


@pytest.mark.emulated
@pytest.mark.parametrize("name", EMULATED)
def test_port_starts_and_answers(name: str, firmware_with) -> None:  # type: ignore[no-untyped-def]
    first, results = answers(firmware_with(name), count=3)
    assert first == STARTED[name]
    assert [output for _, output in results] == [expected_output(INPUT)] * 3


@pytest.mark.emulated
@pytest.mark.parametrize("name", EMULATED)
def test_ticks_repeat_to_within_one(name: str, firmware_with) -> None:  # type: ignore[no-untyped-def]
    firmware = firmware_with(name, passes=1000)
    (first, _), (second, _) = answers(firmware)[1][0], answers(firmware)[1][0]
    # A tick is 25 to 125 instructions, and the input comes at any of them.
    assert first > 100
    assert abs(first - second) <= 1


@pytest.mark.emulated
@pytest.mark.parametrize(
    ("name", "slow_shift", "least_ticks"),
    # The timers have 32 bits; mcycle and the counter of the MPS3 are read in two halves of 32.
    [
        ("cortex-m0", 10, 2**32),
        ("cortex-m4", 10, 2**32),
        ("cortex-m33", 10, 2**32),
        ("cortex-m55", 10, 2**32),
        ("esp32", 10, 2**33),
        ("esp32c3", 8, 2**33),
    ],
)
def test_a_wrap_of_the_counter_within_an_inference_is_seen(
    name: str, slow_shift: int, least_ticks: int, firmware_with
) -> None:  # type: ignore[no-untyped-def]
    # 2^shift virtual nanoseconds an instruction: the same work takes exactly that many times the ticks.
    passes = {"cortex-m0": 200_000, "cortex-m4": 400_000, "cortex-m33": 600_000, "cortex-m55": 1_200_000}.get(
        name, 90_000
    )
    firmware = firmware_with(name, passes)
    results = answers(firmware)[1]
    ticks, output = results[0]
    slow, slow_output = answers(firmware, shift=slow_shift)[1][0]
    assert output == slow_output == expected_output(INPUT, passes=passes)
    assert slow > least_ticks
    assert slow / (ticks << slow_shift) == pytest.approx(1, rel=1e-3)
