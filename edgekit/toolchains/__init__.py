"""The toolchain stage: emitted sources and a target become firmware."""

from __future__ import annotations

import importlib
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol, cast

from edgekit.engine.types import Sources
from edgekit.targets import Target


@dataclass(frozen=True, slots=True)
class Firmware:
    """A linked application.

    Attributes:
        elf: what runs on the chip.
        emulated_elf: what runs on the emulator; the same file as `elf` unless the target has a second linker script.
        images: (flash address, file) pairs to flash, lowest address first; empty where nothing is flashed.
        weights_bytes: constants of the model in the ELF.
        kernels_bytes: the engine's code and tables in the ELF.
        application_bytes: every other byte of flash that the build fills.
        static_bytes: .data + .bss without the arena and without the stack.
        stack_reserved_bytes: what the linker script keeps for the stack; 0 where the system gives it.
        arena_bytes: the arena in the ELF.
        target: what it was built for.
        engine: "aot" or "tflm".
        model_sha256: identity of the flatbuffer inside.
        compiler: name and version, as the compiler prints them.
    """

    elf: Path
    emulated_elf: Path
    images: tuple[tuple[int, Path], ...]
    weights_bytes: int
    kernels_bytes: int
    application_bytes: int
    static_bytes: int
    stack_reserved_bytes: int
    arena_bytes: int
    target: Target
    engine: str
    model_sha256: str
    compiler: str

    @property
    def flash_bytes(self) -> int:
        """Bytes of flash that the firmware fills."""
        return self.weights_bytes + self.kernels_bytes + self.application_bytes


class Toolchain(Protocol):
    """What a module in this folder offers."""

    def version(self) -> str:
        """Return name and version as the compiler prints them, within milliseconds; see `Firmware.compiler`.

        Raises:
            ToolMissingError: the compiler is not installed.
        """
        ...

    def compile(self, sources: Sources, target: Target, out: Path) -> Firmware:
        """Compile and link the sources with the harness and the target's port.

        Args:
            sources: what the engine emitted.
            target: what to build for.
            out: folder for `firmware.elf`, images and the like; made when missing.

        Raises:
            ToolMissingError: the compiler is not installed.
            ToolchainError: the compiler refused; the message ends with its first error line.
            DoesNotFitError: the linked firmware is larger than the target.
        """
        ...


def load(name: str) -> Toolchain:
    """Return the toolchain module `edgekit/toolchains/<name>.py`."""
    return cast(Toolchain, importlib.import_module(f"edgekit.toolchains.{name}"))


def version(name: str) -> str:
    """Return what identifies the compiler of a toolchain: results of another version are other results.

    Raises:
        ToolMissingError: the compiler is not installed.
    """
    return load(name).version()
