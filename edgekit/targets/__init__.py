"""What is known about a board or a core: one TOML file each, its stem is its name."""

from __future__ import annotations

import dataclasses
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from edgekit.errors import UnknownNameError, UsageError

_FOLDER = Path(__file__).parent
_T = TypeVar("_T")


@dataclass(frozen=True, slots=True)
class Emulator:
    """How a core is emulated when no board is at hand.

    Attributes:
        kind: stem of the module `edgekit/deploy/emulate_<kind>.py` that starts it.
        command: the program, e.g. ``qemu-system-arm``.
        package: the Debian package that brings it.
        arguments: what follows the command, without serial, kernel and counting options.
        tick_ns: virtual nanoseconds per tick of the port's timer; with one instruction a virtual nanosecond,
            instructions = ticks * tick_ns. 0 where ticks are real time.
        chip_machine: QEMU machine that models the whole chip, boot ROM and flash included. Where the emulator that is
            installed has it, it boots the flash image instead of `arguments`; None where there is no such machine.
        linker_script: file in the port's folder for a second link; None where chip and emulator run the same ELF.
        clock: the `clock` of a measurement made here (DESIGN section 6).
    """

    kind: str
    command: str
    package: str
    arguments: tuple[str, ...] = ()
    tick_ns: int = 0
    chip_machine: str | None = None
    linker_script: str | None = None
    clock: str = "instructions, emulated"


@dataclass(frozen=True, slots=True)
class Target:
    """A board or a core that firmware is built for.

    Attributes:
        name: stem of the TOML file.
        description: one line for people.
        flash_bytes: flash that a build may fill.
        ram_bytes: RAM that a build may use, stack and arena included.
        clock_hz: core clock of the chip as the port leaves it.
        toolchain: stem of the module in `edgekit/toolchains/`.
        port: folder in `firmware/ports/`.
        flags: for the core, where the toolchain serves several; given to the compiler and to the linker.
        flasher: stem behind `flash_` in `edgekit/deploy/`; None where there is nothing to flash.
        emulator: how it is emulated; None where it is not.
        features: kernel variants the core can run, best first; `conv_2d_s8.<feature>.h` wins over `conv_2d_s8.h`.
    """

    name: str
    description: str
    flash_bytes: int
    ram_bytes: int
    clock_hz: int
    toolchain: str
    port: str
    flasher: str | None = None
    emulator: Emulator | None = None
    flags: tuple[str, ...] = ()
    features: tuple[str, ...] = ()


def names() -> list[str]:
    """Return the names of all targets, sorted.

    Example:
        >>> "host" in names()
        True
    """
    return sorted(path.stem for path in _FOLDER.glob("*.toml"))


def load(name: str) -> Target:
    """Read one target.

    Args:
        name: the stem of a TOML file in this folder.

    Returns:
        The target, all fields checked.

    Raises:
        UnknownNameError: no such target; the hint suggests the nearest name.
        UsageError: the file has an unknown, missing or ill-typed key.

    Example:
        >>> load("esp32").toolchain
        'xtensa_gcc'
    """
    if name not in names():
        raise UnknownNameError("target", name, names())
    with (_FOLDER / f"{name}.toml").open("rb") as stream:
        table = tomllib.load(stream)
    emulator = table.pop("emulator", None)
    values: dict[str, Any] = {"name": name, **table}
    if emulator is not None:
        values["emulator"] = _build(Emulator, emulator, f"{name}.toml [emulator]")
    return _build(Target, values, f"{name}.toml")


def _build(kind: type[_T], values: dict[str, Any], where: str) -> _T:
    """Make a dataclass of a TOML table; refuses unknown and missing keys."""
    fields = {field.name: field for field in dataclasses.fields(kind)}  # type: ignore[arg-type]
    unknown = sorted(set(values) - set(fields))
    if unknown:
        raise UsageError(f"{where}: unknown key {unknown[0]!r}", hint=f"allowed keys: {', '.join(fields)}")
    required = {name for name, field in fields.items() if field.default is dataclasses.MISSING}
    missing = sorted(required - set(values))
    if missing:
        raise UsageError(
            f"{where}: key {missing[0]!r} is missing", hint=f"required keys: {', '.join(sorted(required))}"
        )
    frozen = {name: tuple(value) if isinstance(value, list) else value for name, value in values.items()}
    return kind(**frozen)
