"""Compiles the device's side of the harness for this computer, with the sanitizers watching."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from edgekit.firmware_files import firmware_path

_OWN = Path(__file__).parent / "harness"
_FLAGS = "-std=c99 -O2 -g -Wall -Wextra -Wconversion -Wshadow -Werror".split()
_SANITIZERS = ("-fsanitize=address,undefined", "-fno-sanitize-recover=all")


def compile_c(out: Path, sources: list[str], *defines: str, sanitized: bool = True) -> Path:
    """Compile files of firmware/harness ("frame.c") and of tests/unit/harness ("own:test_port.c") into a program."""
    compiler = shutil.which("cc") or shutil.which("gcc")
    if compiler is None:
        pytest.skip("no C compiler is installed: apt-get install gcc")
    harness = firmware_path("harness")
    files = [str(_OWN / name[4:]) if name.startswith("own:") else str(harness / name) for name in sources]
    sanitizers = _SANITIZERS if sanitized else ()
    command = [compiler, *_FLAGS, *sanitizers, *defines, f"-I{harness}", f"-I{_OWN}", *files, "-o", str(out)]
    ran = subprocess.run(command, capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stderr
    return out


def compile_firmware(out: Path, fault: int = 0) -> Path:
    """The whole application with the model of ek_model.h; `fault` is its TEST_FAULT.

    The fault that writes beside the arena is the sanitizer's prey, so it is left out there.
    """
    sources = sorted(path.name for path in firmware_path("harness").glob("*.c"))
    return compile_c(out, [*sources, "own:test_port.c"], f"-DTEST_FAULT={fault}", sanitized=fault == 0)
