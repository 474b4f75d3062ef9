"""The toolchains: what they make, that they make the same bytes again, and how they fail."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest
from fake_sources import fake_sources

from edgekit import targets, toolchains
from edgekit.errors import DoesNotFitError, ToolchainError, ToolMissingError
from edgekit.firmware_files import firmware_path
from edgekit.targets import Target
from edgekit.toolchains import Firmware, _gcc

COMPILER_OF = {
    "host_cc": "cc",
    "arm_gcc": "arm-none-eabi-gcc",
    "xtensa_gcc": "xtensa-lx106-elf-gcc",
    "riscv_gcc": "riscv64-unknown-elf-gcc",
}
COMPILERS = {name: COMPILER_OF[targets.load(name).toolchain] for name in targets.names()}


def board(name: str) -> Target:
    """A target whose compiler is installed."""
    if shutil.which(COMPILERS[name]) is None:
        pytest.skip(f"{COMPILERS[name]} is not installed; `edgekit doctor` says how to get it")
    return targets.load(name)


def compiled(target: Target, out: Path, **changes: object) -> Firmware:
    """Firmware of the fake model."""
    return toolchains.load(target.toolchain).compile(fake_sources(**changes), target, out)  # type: ignore[arg-type]


@pytest.mark.parametrize("name", COMPILERS)
def test_every_byte_is_accounted_for(name: str, tmp_path: Path) -> None:
    small = compiled(board(name), tmp_path / "small")
    large = compiled(board(name), tmp_path / "large", table_bytes=5009, arena_bytes=1088)
    assert small.weights_bytes == 1009
    assert large.weights_bytes == 5009
    assert 50 < small.kernels_bytes < 1000
    assert abs(large.kernels_bytes - small.kernels_bytes) < 64
    assert abs(large.application_bytes - small.application_bytes) < 64
    assert large.arena_bytes - small.arena_bytes == 1024
    assert abs(large.static_bytes - small.static_bytes) < 64
    assert small.flash_bytes == small.weights_bytes + small.kernels_bytes + small.application_bytes
    assert COMPILERS[name].removesuffix("-gcc").split("-")[0] in small.compiler


@pytest.mark.parametrize("name", COMPILERS)
def test_same_input_gives_the_same_bytes_and_no_path(name: str, tmp_path: Path) -> None:
    first, second = (compiled(board(name), tmp_path / folder) for folder in ("a", "b/deeper"))
    for one, other in zip(sorted(first.elf.parent.iterdir()), sorted(second.elf.parent.iterdir()), strict=True):
        assert one.name == other.name
        assert one.read_bytes() == other.read_bytes()
        assert b"edgekit-" not in one.read_bytes()
        assert str(firmware_path()).encode() not in one.read_bytes()


def test_a_model_named_like_a_file_of_the_harness(tmp_path: Path) -> None:
    for stem in ("main", "port", "start"):
        firmware = toolchains.load("host_cc").compile(fake_sources(stem), board("host"), tmp_path / stem)
        assert firmware.weights_bytes == 1009


def test_missing_compiler(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    for name in COMPILERS:
        with pytest.raises(ToolMissingError, match="not found on the PATH") as caught:
            compiled(targets.load(name), tmp_path / name)
        assert "apt-get install" in caught.value.hint
        assert caught.value.exit_code == 4
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("name", COMPILERS)
def test_compile_failure_names_the_first_error_and_keeps_earlier_outputs(name: str, tmp_path: Path) -> None:
    target = board(name)
    before = compiled(target, tmp_path).elf.read_bytes()
    with pytest.raises(ToolchainError, match="'nothing' undeclared") as caught:
        compiled(target, tmp_path, extra="int broken(void);\nint broken(void) { return nothing; }\n")
    assert "\n" not in caught.value.what
    assert (tmp_path / "firmware.elf").read_bytes() == before


def test_undefined_reference_is_named(tmp_path: Path) -> None:
    missing = "void absent(void);\nvoid ek_port_self_test_2(void);\n"
    call = "__attribute__((constructor, used)) static void use(void) { absent(); }\n"
    with pytest.raises(ToolchainError, match="undefined reference to `absent'"):
        compiled(board("host"), tmp_path, extra=missing + call)


@pytest.mark.parametrize("name", [name for name in COMPILERS if name != "host"])
def test_too_much_ram(name: str, tmp_path: Path) -> None:
    target = board(name)
    with pytest.raises(DoesNotFitError, match="RAM needed") as caught:
        compiled(target, tmp_path, arena_bytes=target.ram_bytes)
    assert caught.value.exit_code == 3
    assert target.ram_bytes < caught.value.needed_bytes < target.ram_bytes + 32_768
    assert not (tmp_path / "firmware.elf").exists()


def test_too_much_flash(tmp_path: Path) -> None:
    target = board("cortex-m4")
    with pytest.raises(DoesNotFitError, match="flash needed") as caught:
        compiled(target, tmp_path, table_bytes=target.flash_bytes)
    assert target.flash_bytes < caught.value.needed_bytes < target.flash_bytes + 65_536


def test_budget_below_the_linker_scripts_regions(tmp_path: Path) -> None:
    import dataclasses

    small = dataclasses.replace(board("host"), ram_bytes=1024)
    with pytest.raises(DoesNotFitError, match="RAM needed"):
        compiled(small, tmp_path, arena_bytes=1024)


def test_tflm_without_a_tree(tmp_path: Path) -> None:
    import dataclasses

    sources = dataclasses.replace(fake_sources(), engine="tflm")
    with pytest.raises(ToolchainError, match="TensorFlow Lite Micro tree") as caught:
        toolchains.load("host_cc").compile(sources, board("host"), tmp_path)
    assert caught.value.exit_code == 4
    assert "--tflm-dir" in caught.value.hint


def test_a_tool_that_does_not_end(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(_gcc, "_TIME_LIMIT_S", 0.2)
    with pytest.raises(ToolchainError, match="did not finish"):
        _gcc.run(["sleep", "5"], tmp_path, package="coreutils")


def test_runtime_functions_of_the_esp32_equal_native_arithmetic(tmp_path: Path) -> None:
    board("host")
    program = tmp_path / "runtime_check"
    source = Path(__file__).parent / "runtime_check.c"
    flags = ["-O2", "-std=c99", "-Wall", "-Wextra", "-Wconversion", "-Werror", f"-I{firmware_path('ports', 'esp32')}"]
    subprocess.run(["cc", *flags, str(source), "-o", str(program)], check=True)
    done = subprocess.run([str(program)], capture_output=True, text=True, check=False)
    assert done.stdout == "0 differences\n"
