"""Run firmware on a board or an emulated core, compare every output byte with the host's, and measure."""

from __future__ import annotations

import dataclasses
import importlib
import itertools
import statistics
from dataclasses import dataclass
from pathlib import Path
from typing import cast

from edgekit import build_folder, targets
from edgekit.build import BuildOptions, build
from edgekit.build_folder import Built
from edgekit.deploy import Link
from edgekit.errors import PortError, UsageError
from edgekit.harness.measure import Measurement, measure
from edgekit.layer_profile import profile
from edgekit.progress import Progress, silent
from edgekit.report.types import BenchReport, LayerCost, Spread
from edgekit.toolchains import Firmware

__all__ = ["BenchOptions", "bench"]

DEFAULT_RUNS = 10


@dataclass(frozen=True, slots=True)
class BenchOptions:
    """What a bench run may be told.

    Attributes:
        runs: inferences to measure; golden inputs are repeated when there are fewer.
        build: how to build a MODEL; without use for a build folder.
        out: folder for that build; None chooses `build/<model>/<target>`.
        flash: write the firmware to the board first.
        per_layer: count the instructions of each layer too; on an emulator.
    """

    runs: int = DEFAULT_RUNS
    build: BuildOptions = dataclasses.field(default_factory=BuildOptions)
    out: Path | None = None
    flash: bool = False
    per_layer: bool = False


def bench(
    source: str | Path,
    target: str | None = None,
    *,
    port: str | None = None,
    options: BenchOptions | None = None,
    progress: Progress = silent,
) -> BenchReport:
    """Measure a model on a target.

    Args:
        source: a build folder, or a model, which is built first.
        target: name of a target; None takes the build folder's.
        port: serial port of the board; None runs the emulator.
        options: number of runs, and how to build.
        progress: told what happens.

    Returns:
        What was measured; nothing in it is estimated.

    Raises:
        UsageError: a name or an option is wrong, or the folder was built for another target.
        PortError: no such port, or it is busy; or the target has no emulator.
        DeviceError: the device is silent, went away, or reported a fault.
        UntrustworthyError: an output byte is wrong, or the folder is not as it was built.
    """
    options = options or BenchOptions()
    if options.runs < 1:
        raise UsageError(
            f"--runs is {options.runs}, expected at least 1", hint="10 runs show whether counts are stable"
        )
    if options.per_layer and port is not None:
        raise UsageError(
            "--per-layer counts on an emulator, a port was given too", hint="leave --port out, or give --emulate"
        )
    built = _built(Path(source), target, options, progress)
    if options.flash:
        flash(built.firmware, port, progress)
    inputs = tuple(itertools.islice(itertools.cycle(built.inputs), options.runs))
    outputs = tuple(itertools.islice(itertools.cycle(built.outputs), options.runs))
    with open_link(built.firmware, port) as link:
        measured = measure(link, built.firmware, inputs, outputs, progress)
    return _report(built, measured, profile(built, progress) if options.per_layer else None)


def firmware_of(
    source: str | Path, target: str | None, *, options: BenchOptions | None = None, progress: Progress = silent
) -> Firmware:
    """Return the firmware of a build folder, or of a model, which is built first; raises as `bench` does."""
    return _built(Path(source), target, options or BenchOptions(), progress).firmware


def flash(firmware: Firmware, port: str | None, progress: Progress = silent) -> None:
    """Write a firmware's images to a board.

    Args:
        firmware: of a target that has a flasher.
        port: serial port of the board.
        progress: told what happens.

    Raises:
        UsageError: the target cannot be flashed.
        PortError: no port was named, or it is absent or busy.
    """
    target = firmware.target
    if target.flasher is None:
        flashable = ", ".join(name for name in targets.names() if targets.load(name).flasher is not None)
        raise UsageError(f"{target.name} cannot be flashed: it has no flasher", hint=f"targets with one: {flashable}")
    if port is None:
        raise PortError("no serial port was named to flash through", hint="give --port, e.g. --port /dev/ttyUSB0")
    flasher = importlib.import_module(f"edgekit.deploy.flash_{target.flasher}")
    flasher.flash(firmware.images, target, port, progress)


def _built(source: Path, target: str | None, options: BenchOptions, progress: Progress) -> Built:
    if build_folder.is_build_folder(source):
        return build_folder.read(source, target)
    if target is None:
        raise UsageError(
            "no target was named for a model", hint="give --target NAME; `edgekit targets` lists the names"
        )
    report = build(source, target, out=options.out, options=options.build, progress=progress)
    return build_folder.read(report.folder, target)


def open_link(firmware: Firmware, port: str | None) -> Link:
    """Open the line to a device that runs a firmware: the board at a port, else the target's emulator.

    Raises:
        PortError: the port is absent or busy, or there is neither a port nor an emulator.
        ToolchainError: the emulator is not installed.
    """
    target = firmware.target
    if port is not None:
        from edgekit.deploy import serial_port

        return serial_port.open(port, target)
    if target.emulator is None:
        raise PortError(f"{target.name} has no emulator, and no port was named", hint="give --port of the board")
    emulator = importlib.import_module(f"edgekit.deploy.emulate_{target.emulator.kind}")
    return cast(Link, emulator.open(firmware))


def _report(built: Built, measured: Measurement, layers: tuple[LayerCost, ...] | None) -> BenchReport:
    runs = measured.per_run
    between = None if layers is None else round(runs[0]) - sum(layer.instructions for layer in layers)
    ram = dataclasses.replace(
        built.ram,
        arena_bytes=measured.arena_bytes,
        engine_bytes=measured.engine_bytes,
        stack_peak_bytes=measured.stack_peak_bytes,
    )
    return BenchReport(
        target=measured.target,
        engine=measured.engine,
        model=built.model,
        ram=ram,
        flash=built.flash,
        flash_bytes_read=built.flash_bytes_read,
        clock=measured.clock,
        runs=len(runs),
        per_run=Spread(*(_whole(value) for value in (statistics.median(runs), min(runs), max(runs)))),
        compared=measured.outputs_compared,
        match=measured.outputs_match,
        judge=built.judge,
        inputs=built.origin,
        compiler=built.firmware.compiler,
        emulator=measured.emulator,
        where=measured.link,
        layers=layers,
        between_layers=between,
        optimize=built.optimize,
    )


def _whole(value: float) -> float:
    """A count is written as one: 346680, not 346680.0."""
    return int(value) if float(value).is_integer() else value
