"""EdgeKit's own engine on this computer: compiled with the C compiler that is here, run as a process."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory

from edgekit import targets, toolchains
from edgekit.progress import Progress, silent
from edgekit.tflite.shrink import Answer

NAME = "aot on the host"
_TARGET = "host"


def run(model: bytes, inputs: tuple[bytes, ...], progress: Progress = silent) -> Answer:
    """Compile a .tflite for this computer and run it on inputs, one after the other.

    Args:
        model: the .tflite.
        inputs: for each inference the bytes of all inputs.
        progress: told after each inference.

    Returns:
        The outputs, and the compiler with its version.

    Raises:
        ModelError: an operator or a form of one that the engine has no kernel for.
        ToolchainError: there is no C compiler here.
        DeviceError: the process ended in the middle of a run.
    """
    from edgekit.deploy import emulate_host
    from edgekit.engine import emit_aot
    from edgekit.harness.measure import collect
    from edgekit.tflite.graph import parse

    target = targets.load(_TARGET)
    sources = emit_aot.emit(parse(model), "judged", features=target.features)
    with TemporaryDirectory(prefix="edgekit-") as folder:
        firmware = toolchains.load(target.toolchain).compile(sources, target, Path(folder))
        with emulate_host.open(firmware) as link:
            return Answer(collect(link, firmware, inputs, progress), f"({firmware.compiler})")


def compiler_version() -> str:
    """Return the version of the C compiler here; "" where there is none."""
    from edgekit.errors import ToolchainError

    try:
        return toolchains.version(targets.load(_TARGET).toolchain)
    except ToolchainError:
        return ""
