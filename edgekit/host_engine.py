"""EdgeKit's own engine on this computer, compiled and run as a process: one of those that judge a shrunk model."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from edgekit import targets, toolchains
from edgekit.errors import ModelError, ToolchainError
from edgekit.progress import Progress, silent
from edgekit.tflite.shrink import Answer, Engine, ShrinkOptions, Shrunk

if TYPE_CHECKING:
    from edgekit.data import Data
    from edgekit.tflite.graph import Graph

NAME = "aot on the host"
_TARGET = "host"
# A constant takes five bytes of C a byte: beyond this the compiler needs minutes and gigabytes.
_LARGEST_MODEL_BYTES = 1 << 24


def run(model: bytes, inputs: tuple[bytes, ...], progress: Progress = silent) -> Answer:
    """Compile a .tflite for this computer and run it on inputs, one after the other.

    Args:
        model: the .tflite.
        inputs: for each inference the bytes of all inputs.
        progress: told after each inference.

    Returns:
        The outputs, and the compiler with its version.

    Raises:
        ModelError: an operator or a form of one that the engine has no kernel for; or the model is too large for C.
        ToolchainError: there is no C compiler here.
        DeviceError: the process ended in the middle of a run.
    """
    if len(model) > _LARGEST_MODEL_BYTES:
        raise ModelError(
            f"{len(model):,} bytes of model are too many to compile as C, expected at most {_LARGEST_MODEL_BYTES:,}",
            hint="no microcontroller holds so many; TFLM and LiteRT judge without it",
        )
    from edgekit.deploy import emulate_host
    from edgekit.engine import emit_aot
    from edgekit.engine.options import EngineOptions
    from edgekit.harness.measure import collect
    from edgekit.tflite.graph import parse

    target = targets.load(_TARGET)
    sources = emit_aot.emit(parse(model), "judged", options=EngineOptions(target.features))
    with TemporaryDirectory(prefix="edgekit-") as folder:
        firmware = toolchains.load(target.toolchain).compile(sources, target, Path(folder))
        with emulate_host.open(firmware) as link:
            return Answer(collect(link, firmware, inputs, progress), f"({firmware.compiler})")


def shrink(
    parsed: Graph, data: Data | None, options: ShrinkOptions, samples: int, progress: Progress = silent
) -> Shrunk:
    """Shrink a model losslessly; every engine of this computer must find the result equal.

    Args:
        parsed: the model.
        data: samples of the user, for inputs beside the random ones; None, or a model of several inputs: no others.
        options: what stays in the file.
        samples: random inputs, and as many of the data.
        progress: told what happens.

    Raises:
        ModelError: no engine runs the model.
        UntrustworthyError: outputs differ although nothing was taken away.
        DataError: the data does not fit the model's input.
    """
    from edgekit.golden import golden_inputs
    from edgekit.tflite.shrink import chain
    from edgekit.tflite.shrink.inputs import random_inputs

    inputs, origin = random_inputs(parsed, samples), f"{samples} random"
    if data is not None and len(parsed.inputs) == 1:
        chosen, where = golden_inputs(parsed, data, samples)
        inputs, origin = (*inputs, *chosen), f"{origin}, {len(chosen)} of {where}"
    own: Engine = partial(run, progress=progress)
    return chain.shrink(
        parsed.flatbuffer,
        {**chain.interpreter_engines(phone=options.phone), NAME: own},
        inputs,
        origin,
        options,
        progress,
    )


def compiler_version() -> str:
    """Return the version of the C compiler here; "" where there is none."""
    try:
        return toolchains.version(targets.load(_TARGET).toolchain)
    except ToolchainError:
        return ""
