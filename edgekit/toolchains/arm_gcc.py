"""Arm's GCC for Cortex-M cores, with newlib for memcpy and the like."""

from __future__ import annotations

from pathlib import Path

from edgekit.engine.types import Sources
from edgekit.targets import Target
from edgekit.toolchains import Firmware
from edgekit.toolchains._gcc import Gcc, compile_firmware

_GCC = Gcc(
    command="arm-none-eabi-gcc",
    package="gcc-arm-none-eabi libnewlib-arm-none-eabi",
    flags=("-mthumb",),
    link_flags=("-nostartfiles",),
)


def version() -> str:
    """Return the compiler's name and version; see `edgekit.toolchains.Toolchain.version`."""
    return _GCC.version()


def compile(sources: Sources, target: Target, out: Path) -> Firmware:  # noqa: A001 (the stage's name)
    """Compile for a Cortex-M core; see `edgekit.toolchains.Toolchain.compile`."""
    return compile_firmware(_GCC, sources, target, out)
