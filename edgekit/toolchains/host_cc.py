"""The C compiler of this computer: the same application as a process."""

from __future__ import annotations

from pathlib import Path

from edgekit.engine.types import Sources
from edgekit.targets import Target
from edgekit.toolchains import Firmware
from edgekit.toolchains._gcc import Gcc, compile_firmware

# No position independence: constants with addresses in them stay read-only, as on a board.
_GCC = Gcc(command="cc", package="gcc", flags=("-fno-pie", "-no-pie"), link_with_script=False)


def version() -> str:
    """Return the compiler's name and version; see `edgekit.toolchains.Toolchain.version`."""
    return _GCC.version()


def compile(sources: Sources, target: Target, out: Path) -> Firmware:  # noqa: A001 (the stage's name)
    """Compile for this computer; see `edgekit.toolchains.Toolchain.compile`."""
    return compile_firmware(_GCC, sources, target, out)
