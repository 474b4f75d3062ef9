"""Debian's GCC for the lx106: every Xtensa LX6 runs its code (call0 ABI)."""

from __future__ import annotations

from pathlib import Path

from edgekit.engine.types import Sources
from edgekit.targets import Target
from edgekit.toolchains import Firmware
from edgekit.toolchains._esp_image import EspImage
from edgekit.toolchains._gcc import Gcc, compile_firmware, run

_COMMAND = "xtensa-lx106-elf-gcc"
_PACKAGE = "gcc-xtensa-lx106 picolibc-xtensa-lx106-elf"
_IMAGES = EspImage(boot_address=0x1000, objcopy="xtensa-lx106-elf-objcopy", package="binutils-xtensa-lx106")


def version() -> str:
    """Return name and version of the compiler; see `edgekit.toolchains.Toolchain.version`."""
    return Gcc(_COMMAND, _PACKAGE).version()


def compile(sources: Sources, target: Target, out: Path) -> Firmware:  # noqa: A001 (the stage's name)
    """Compile for an ESP32; see `edgekit.toolchains.Toolchain.compile`."""
    gcc = Gcc(
        command=_COMMAND,
        package=_PACKAGE,
        flags=(f"--specs={_picolibc()}", "-mlongcalls", "-mtext-section-literals"),
        link_flags=("-nostartfiles",),
        images=_IMAGES,
    )
    return compile_firmware(gcc, sources, target, out)


def _picolibc() -> str:
    """Return the C library's specs: this compiler does not find them by their bare name."""
    library = Path(run([_COMMAND, "-print-libgcc-file-name"], Path.cwd(), package=_PACKAGE).strip())
    machine = library.parent.parent.name
    specs = [folder / machine / "picolibc.specs" for folder in library.parents]
    return next((str(path) for path in specs if path.is_file()), "picolibc.specs")
