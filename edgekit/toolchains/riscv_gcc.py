"""Debian's bare-metal RISC-V GCC for 32-bit cores."""

from __future__ import annotations

from pathlib import Path

from edgekit.engine.types import Sources
from edgekit.targets import Target
from edgekit.toolchains import Firmware
from edgekit.toolchains._esp_image import EspImage
from edgekit.toolchains._gcc import Gcc, compile_firmware

_GCC = Gcc(
    command="riscv64-unknown-elf-gcc",
    package="gcc-riscv64-unknown-elf picolibc-riscv64-unknown-elf",
    # No small-data sections: every constant goes to flash by its own name.
    flags=("--specs=picolibc.specs", "-mabi=ilp32", "-msmall-data-limit=0"),
    # Control registers need _zicsr, but with it the linker would choose the 64-bit libraries.
    compile_flags=("-march=rv32imc_zicsr",),
    link_flags=("-march=rv32imc", "-nostartfiles"),
    images=EspImage(boot_address=0x0, objcopy="riscv64-unknown-elf-objcopy", package="binutils-riscv64-unknown-elf"),
)


def version() -> str:
    """Return name and version of the compiler; see `edgekit.toolchains.Toolchain.version`."""
    return _GCC.version()


def compile(sources: Sources, target: Target, out: Path) -> Firmware:  # noqa: A001 (the stage's name)
    """Compile for an ESP32-C3; see `edgekit.toolchains.Toolchain.compile`."""
    return compile_firmware(_GCC, sources, target, out)
