"""Starting QEMU: what is missing, refused or dies is told, and nothing is left behind."""

from __future__ import annotations

import dataclasses
import os
import shutil
import subprocess
import time
from pathlib import Path

import pytest
from fake_firmware import emulated_by, model, samples

from edgekit.deploy import emulate_qemu
from edgekit.errors import DeviceError, ToolchainError, ToolMissingError
from edgekit.harness.measure import measure

needs_qemu = pytest.mark.skipif(
    shutil.which("qemu-system-arm") is None, reason="qemu-system-arm is not installed: apt-get install qemu-system-arm"
)


def open_files() -> int:
    return len(os.listdir("/proc/self/fd"))  # noqa: PTH208 - Path.iterdir would open one more


def children() -> str:
    return Path(f"/proc/self/task/{os.getpid()}/children").read_text()


def script(folder: Path, text: str) -> str:
    path = folder / "qemu-system-fake"
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(0o755)
    return str(path)


def test_a_missing_emulator_is_named_with_its_package() -> None:
    with pytest.raises(ToolMissingError, match="qemu-system-absent was not found") as caught:
        emulate_qemu.open(emulated_by("qemu-system-absent"))
    assert "qemu-system-arm" in caught.value.hint


@needs_qemu
def test_a_refusal_ends_with_its_first_line_and_leaves_nothing() -> None:
    before = open_files(), children()
    with pytest.raises(ToolchainError, match=r"ended before it ran.*unsupported machine type"):
        emulate_qemu.open(emulated_by("qemu-system-arm", ("-M", "no-such-board")))
    assert (open_files(), children()) == before


def test_a_program_that_is_no_emulator_is_told(tmp_path: Path) -> None:
    with pytest.raises(ToolchainError, match="ended before it ran: I am no emulator"):
        emulate_qemu.open(emulated_by(script(tmp_path, "echo I am no emulator >&2; exit 1")))


@needs_qemu
def test_a_silent_core_and_a_killed_emulator_are_told_and_nothing_stays(tmp_path: Path) -> None:
    before = open_files(), children()
    spin = tmp_path / "spin.bin"
    # The vector table: stack pointer, reset at 8 (bit 0: Thumb); there, a branch to itself.
    spin.write_bytes((0x2000_1000).to_bytes(4, "little") + (9).to_bytes(4, "little") + b"\xfe\xe7" * 4)
    made = dataclasses.replace(emulated_by("qemu-system-arm", ("-M", "mps2-an386")), emulated_elf=spin)
    with emulate_qemu.open(made) as link:
        assert link.emulator is not None
        assert link.emulator.startswith("qemu-system-arm ")
        assert (link.clock, link.tick_ns) == ("instructions, emulated", 40)
        assert link.read(0.2) == b""
        (pid,) = set(children().split()) - set(before[1].split())
        os.kill(int(pid), 9)
        with pytest.raises(DeviceError, match="ended in the middle of a run"):
            measure(link, made, samples(1), (model(samples(1)[0]),))
    assert (open_files(), children()) == before


@needs_qemu
@pytest.mark.skipif(shutil.which("setpriv") is None, reason="setpriv (util-linux) is not installed")
def test_an_emulator_ends_with_a_killed_parent(tmp_path: Path) -> None:
    parent = subprocess.Popen(
        ["sh", "-c", "setpriv --pdeathsig KILL sleep 60 & echo $!; wait"], stdout=subprocess.PIPE, text=True
    )
    assert parent.stdout is not None
    child = int(parent.stdout.readline())
    time.sleep(0.2)
    parent.kill()
    parent.wait()
    parent.stdout.close()
    deadline = time.monotonic() + 10
    while is_running(child) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not is_running(child)
    assert emulate_qemu._guarded(["qemu"])[1:] == ["--pdeathsig", "KILL", "qemu"]


def is_running(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] not in "ZX"
    except OSError:
        return False


@pytest.mark.parametrize(
    ("version", "arguments"),
    [
        ("7.2.22 (Debian 1:7.2+dfsg)", ("-M", "x", "-singlestep")),
        ("8.1.3", ("-M", "x", "-accel", "tcg,one-insn-per-tb=on")),
        ("10.0.2", ("-M", "x", "-accel", "tcg,one-insn-per-tb=on")),
    ],
)
def test_one_instruction_at_a_time_in_the_words_of_the_version(
    version: str, arguments: tuple[str, ...], tmp_path: Path
) -> None:
    command = script(tmp_path, f"echo 'QEMU emulator version {version}'")
    emulator = emulated_by(command, ("-M", "x", "-singlestep")).target.emulator
    assert emulator is not None
    assert emulate_qemu._one_instruction_at_a_time(emulator) == arguments


def test_a_qemu_with_the_whole_chip_boots_the_flash_image(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Debian's QEMU has no such machine: a stand-in lists one, notes what it was told, and ends."""
    told, copy = tmp_path / "told.txt", tmp_path / "copy.bin"
    command = script(
        tmp_path,
        f"""case "$*" in
*help*) echo "Supported machines are:"; echo "esp32 Espressif ESP32 machine"; exit 0;; esac
echo "$*" > {told}
for argument; do case "$argument" in file=*) file=${{argument#file=}}; cp "${{file%%,*}}" {copy};; esac; done
echo stopped on purpose >&2; exit 1""",
    )
    monkeypatch.setattr(emulate_qemu, "merge_flash_image", lambda firmware, path: path.write_bytes(b"the whole flash"))
    made = emulated_by(command, ("-M", "kc705"))
    assert made.target.emulator is not None
    emulator = dataclasses.replace(made.target.emulator, chip_machine="esp32")
    made = dataclasses.replace(made, target=dataclasses.replace(made.target, emulator=emulator))
    with pytest.raises(ToolchainError, match="stopped on purpose"):
        emulate_qemu.open(made)
    assert "-M esp32 -drive file=" in told.read_text()
    assert "kc705" not in told.read_text()
    assert copy.read_bytes() == b"the whole flash"
    assert not Path(told.read_text().partition("file=")[2].partition(",")[0]).parent.exists()
