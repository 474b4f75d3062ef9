"""What every GCC has in common: compile the model, the harness and the port; link; account for every byte."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from edgekit.atomic import write_atomically
from edgekit.engine.types import Sources
from edgekit.errors import DoesNotFitError, ToolchainError, ToolMissingError
from edgekit.firmware_files import firmware_path
from edgekit.targets import Target
from edgekit.toolchains import Firmware
from edgekit.toolchains._elf import split_bytes

# Each function and constant in a section of its own: the linker drops what the model does not use, and its map
# tells whose bytes are whose.
_COMPILE = (
    *("-std=c99", "-O2", "-ffunction-sections", "-fdata-sections", "-fno-common"),
    *("-Wall", "-Wextra", "-Wconversion", "-Werror"),
)
_LINK = ("-Wl,--gc-sections", "-Wl,--build-id=none", "-Wl,--strip-debug", "-Wl,--fatal-warnings")
_MAP = "firmware.map"
_TIME_LIMIT_S = 600

Images = tuple[tuple[int, Path], ...]


@dataclass(frozen=True, slots=True)
class Gcc:
    """One compiler for one core.

    Attributes:
        command: the program, e.g. ``arm-none-eabi-gcc``.
        package: the Debian package that brings it.
        flags: for the core, given to the compiler and to the linker.
        compile_flags: given to the compiler alone.
        link_flags: given to the linker alone.
        link_with_script: False where the system's own linker script serves.
        images: makes flashable images of an ELF in its folder, for targets that have a flasher.
    """

    command: str
    package: str
    flags: tuple[str, ...] = ()
    compile_flags: tuple[str, ...] = ()
    link_flags: tuple[str, ...] = ()
    link_with_script: bool = True
    images: Callable[[Path, Target], Images] | None = None

    def version(self) -> str:
        """Return name and version as the compiler prints them in its first line."""
        return run([self.command, "--version"], Path.cwd(), package=self.package).splitlines()[0].strip()


def run(command: Sequence[str], folder: Path, *, package: str) -> str:
    """Run a tool to its end and return what it printed.

    Args:
        command: program and arguments.
        folder: working folder.
        package: the Debian package that brings the program.

    Raises:
        ToolMissingError: the program is not there.
        ToolchainError: it failed; the message ends with its first error line.
    """
    if shutil.which(command[0]) is None:
        raise ToolMissingError(command[0], package=package)
    name = Path(command[0]).name
    try:
        done = subprocess.run(
            command, cwd=folder, text=True, errors="replace", capture_output=True, timeout=_TIME_LIMIT_S,
            stdin=subprocess.DEVNULL, env={**os.environ, "LC_ALL": "C"},
        )  # fmt: skip
    except (OSError, subprocess.TimeoutExpired) as error:
        raise ToolchainError(
            f"{name} did not finish: {error}", hint="try again; `edgekit doctor` tests the tools"
        ) from error
    if done.returncode != 0:
        raise CompilerError(name, done.stderr + done.stdout)
    return done.stdout


class CompilerError(ToolchainError):
    """A tool refused its input; keeps everything it said."""

    def __init__(self, name: str, output: str) -> None:
        lines = [line.strip() for line in output.splitlines() if line.strip() and "collect2" not in line]
        errors = [line for line in lines if re.search(r"\berror\b|undefined reference|overflowed|cannot", line, re.I)]
        first = next(iter(errors or lines), "no message")
        super().__init__(
            f"{name} failed: {first}",
            hint="`edgekit doctor` checks the compiler; report it with the model if it passes",
        )
        self.output = output


def compile_firmware(gcc: Gcc, sources: Sources, target: Target, out: Path) -> Firmware:
    """Compile and link; see `edgekit.toolchains.Toolchain.compile`."""
    if sources.engine != "aot":
        raise ToolchainError(
            f"engine {sources.engine} needs a built TensorFlow Lite Micro tree, none was given",
            hint="build TFLM with its own Makefile and pass --tflm-dir, or take the emitted sources into an ESP-IDF or "
            "Zephyr project that brings TFLM; or build with --engine aot",
        )
    emulated_script = target.emulator.linker_script if target.emulator else None
    with tempfile.TemporaryDirectory(prefix="edgekit-") as folder:
        work = Path(folder)
        compiler = gcc.version()
        objects = _compile(gcc, sources, target, work)
        linked = _link(gcc, objects, target, work, "link.ld" if gcc.link_with_script else None)
        split = split_bytes(linked, (work / _MAP).read_text(), f"model/{sources.stem}.o")
        elf = out / "firmware.elf"
        write_atomically(elf, linked.read_bytes())
        emulated = elf
        if emulated_script is not None:
            emulated = out / "firmware-emulated.elf"
            write_atomically(emulated, _link(gcc, objects, target, work, emulated_script).read_bytes())
    elf.chmod(0o755)
    emulated.chmod(0o755)
    firmware = Firmware(
        elf=elf,
        emulated_elf=emulated,
        images=gcc.images(elf, target) if gcc.images and target.flasher else (),
        weights_bytes=split.weights,
        kernels_bytes=split.kernels,
        application_bytes=split.application,
        static_bytes=split.static + split.arena - sources.arena_bytes,
        stack_reserved_bytes=split.stack,
        arena_bytes=sources.arena_bytes,
        target=target,
        engine=sources.engine,
        model_sha256=sources.model_sha256,
        compiler=compiler,
    )
    _check_budget(firmware)
    return firmware


def _check_budget(firmware: Firmware) -> None:
    """Refuse what links in the linker script's regions but exceeds the target's budget."""
    target = firmware.target
    ram = firmware.static_bytes + firmware.arena_bytes + firmware.stack_reserved_bytes
    for resource, needed, available in (
        ("RAM", ram, target.ram_bytes),
        ("flash", firmware.flash_bytes, target.flash_bytes),
    ):
        if needed > available:
            raise DoesNotFitError(
                resource, needed_bytes=needed, available_bytes=available, largest=(), target=target.name
            )


def _compile(gcc: Gcc, sources: Sources, target: Target, work: Path) -> list[str]:
    """Compile everything; returns the objects relative to `work`, in link order.

    The three groups have folders of their own, so a model that is called "main" or "port" overwrites nothing.
    """
    model = work / "model"
    for path, text in sources.files.items():
        write_atomically(model / path, text)
    port = firmware_path("ports", target.port)
    groups = {
        "model": [model / f"{sources.stem}.c"],
        "harness": sorted(firmware_path("harness").glob("*.c")),
        "port": [*sorted(firmware_path("ports", "common").glob("*.c")), *sorted(port.glob("*.[cS]"))],
    }
    includes = [f"-I{firmware_path('harness')}", f"-I{model}", f"-I{firmware_path('engine')}"]
    maps = [f"-ffile-prefix-map={work}=.", f"-ffile-prefix-map={firmware_path()}=firmware"]
    flags = (*gcc.flags, *target.flags, *gcc.compile_flags)
    objects: list[str] = []
    for group, files in groups.items():
        (work / group).mkdir(exist_ok=True)
        command = [gcc.command, *flags, *_COMPILE, *includes, *maps, "-c", *map(str, files)]
        run(command, work / group, package=gcc.package)
        objects += [f"{group}/{path.stem}.o" for path in files]
    return objects


def _link(gcc: Gcc, objects: Sequence[str], target: Target, work: Path, script: str | None) -> Path:
    """Link the objects; an overflow of a linker script's region becomes DoesNotFitError."""
    folder = firmware_path("ports", target.port)
    # The regions of a linker script may have the size of the target's budget.
    budget = f"-Wl,--defsym=EK_FLASH_BYTES={target.flash_bytes},--defsym=EK_RAM_BYTES={target.ram_bytes}"
    scripts = [f"-Wl,-L{folder}", budget, f"-T{folder / script}"] if script else []
    output = work / "firmware.elf"
    command = [gcc.command, *gcc.flags, *target.flags, *_LINK, f"-Wl,-Map={_MAP}", *gcc.link_flags, *scripts]
    # Names relative to `work`: the map and the ELF then hold no path of this machine.
    command += ["-o", output.name, *objects, *(["-lc", "-lgcc"] if script else [])]
    try:
        run(command, work, package=gcc.package)
    except CompilerError as error:
        overflow = re.search(r"region `(\w+)' overflowed by (\d+) bytes", error.output)
        if overflow is None:
            raise
        is_ram = "RAM" in overflow[1]
        available = target.ram_bytes if is_ram else target.flash_bytes
        raise DoesNotFitError(
            "RAM" if is_ram else "flash",
            needed_bytes=available + int(overflow[2]),
            available_bytes=available,
            largest=(),
            target=target.name,
        ) from error
    return output
