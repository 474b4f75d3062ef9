"""The real harness on every emulated core: right bytes, and counts that repeat to the instruction."""

from __future__ import annotations

import dataclasses
import shutil
import sys
from pathlib import Path

import numpy as np
import pytest

sys.path.insert(0, str(Path(__file__).parent.parent / "unit"))
from fake_sources import INPUT_BYTES, expected_output, fake_sources, table

from edgekit import targets, toolchains
from edgekit.deploy import emulate_qemu
from edgekit.errors import DeviceError, ToolMissingError, UntrustworthyError
from edgekit.harness.measure import Measurement, measure
from edgekit.toolchains import Firmware

pytestmark = pytest.mark.emulated

EMULATED = [name for name in targets.names() if name != "host"]
INPUT = bytes(range(90, 90 + INPUT_BYTES))


def compiled(name: str, folder: Path, passes: int = 1, extra: str = "") -> Firmware:
    target = targets.load(name)
    assert target.emulator is not None
    if shutil.which(target.emulator.command) is None:
        pytest.skip(f"{target.emulator.command} is not installed: apt-get install {target.emulator.package}")
    try:
        return toolchains.load(target.toolchain).compile(fake_sources(passes=passes, extra=extra), target, folder)
    except ToolMissingError as error:
        pytest.skip(error.what)


def run(firmware: Firmware, runs: int, passes: int) -> Measurement:
    truth = expected_output(INPUT, passes=passes)
    with emulate_qemu.open(firmware) as link:
        return measure(link, firmware, (INPUT,) * runs, (truth,) * runs)


@pytest.mark.parametrize("name", EMULATED)
def test_the_same_inference_takes_the_same_instructions_always(name: str, tmp_path: Path) -> None:
    firmware = compiled(name, tmp_path, passes=100)
    counts = {count for _ in range(3) for count in run(firmware, 20, 100).per_run}
    assert len(counts) == 1, sorted(counts)
    # 100 passes over 16 bytes, with a 64-bit division each.
    assert 20_000 < counts.pop() < 1_000_000


def test_counts_repeat_over_more_than_a_billion_instructions(tmp_path: Path) -> None:
    """No interrupt of the timer falls into some of the runs and not into others."""
    passes = 200_000
    counts = run(compiled("cortex-m4", tmp_path, passes), 30, passes).per_run
    assert sum(counts) > 1e9
    assert len(set(counts)) == 1, sorted(set(counts))


@pytest.mark.parametrize("name", EMULATED)
def test_stack_and_arena_are_seen_on_the_core(name: str, tmp_path: Path) -> None:
    firmware = compiled(name, tmp_path)
    measured = run(firmware, 2, 1)
    assert measured.stack_peak_bytes is not None
    assert 64 <= measured.stack_peak_bytes < firmware.stack_reserved_bytes
    assert measured.clock == "instructions, emulated"
    assert measured.emulator is not None


@pytest.mark.parametrize("name", EMULATED)
def test_a_damaged_constant_is_found_before_anything_runs(name: str, tmp_path: Path) -> None:
    firmware = compiled(name, tmp_path)
    elf = firmware.emulated_elf
    content = bytearray(elf.read_bytes())
    place = content.index(np.array(table(1009), np.int8).tobytes())
    content[place + 500] ^= 0x10
    elf.write_bytes(content)
    with pytest.raises(DeviceError, match="the model in the device's flash is damaged"):
        run(firmware, 1, 1)


@pytest.mark.parametrize("name", EMULATED)
def test_another_model_on_the_core_is_refused(name: str, tmp_path: Path) -> None:
    firmware = dataclasses.replace(compiled(name, tmp_path), model_sha256="cd" * 32)
    with pytest.raises(UntrustworthyError, match="runs model abababababab"):
        run(firmware, 1, 1)
