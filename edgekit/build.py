"""Bring a model to a target: convert, prove, emit, check the budget, compile, and leave it all in one folder."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from edgekit import build_folder, pipeline, targets
from edgekit.budget import AIMS, Cost, missed
from edgekit.build_options import BuildOptions
from edgekit.build_plan import Ready, build_plan, engine_options
from edgekit.deploy import emulate_qemu
from edgekit.errors import ArenaBoundError, UsageError
from edgekit.harness.measure import measure
from edgekit.model_source import resolve
from edgekit.pipeline import Pipeline
from edgekit.progress import Progress, silent
from edgekit.report.types import BuildReport
from edgekit.targets import Target
from edgekit.tflite.shrink import ShrinkOptions

if TYPE_CHECKING:
    from edgekit.conversion import Conversion
    from edgekit.tflite.shrink import Shrunk

__all__ = ["BuildOptions", "build", "default_folder"]


def build(
    model: str | Path,
    target: str,
    *,
    out: Path | None = None,
    options: BuildOptions | None = None,
    progress: Progress = silent,
) -> BuildReport:
    """Build firmware for a target from a model.

    Args:
        model: `.keras`, `.h5` or `.tflite` file, SavedModel folder, or a folder with a model.toml.
        target: name of a target.
        out: folder for the outputs; None chooses `build/<model>/<target>` below the current folder.
        options: data, compression, metric, engine.
        progress: told what happens.

    Returns:
        What was built; the same is in report.json beside the outputs.

    Raises:
        UsageError: a name, an option or the data is wrong.
        ModelError: the model is damaged, cannot be converted, or does not fit the target.
        BudgetMissedError: no plan stays within the bounds that were given; says what each takes.
        ToolchainError: the compiler is missing or failed.
        UntrustworthyError: the judges contradict each other.
    """
    board, options = targets.load(target), options or BuildOptions()
    engine_options(options, board)
    if options.max_instructions is not None:
        _require_emulator(board)
    line = pipeline.start(resolve(Path(model)), options, progress)
    folder = _folder(out or default_folder(line.source.name, target))
    conversion, shrunk = _shrunk(line, line.convert(), options)
    proof, golden = line.prove(conversion.flatbuffer)
    ready = Ready(line, conversion, shrunk, proof, golden, board, folder)
    report, outputs = _within_budget(ready, options) if options.budget.is_given else build_plan(ready, options)
    build_folder.write(folder, report, outputs)
    return report


def _within_budget(ready: Ready, options: BuildOptions) -> tuple[BuildReport, dict[str, bytes]]:
    """Build the first plan that meets the budget; with an aim that was asked for, that one.

    Raises:
        BudgetMissedError: there is none; says what each plan takes.
    """
    budget, wanted = options.budget, options.optimize
    aims = [None] if options.engine != "aot" else list(dict.fromkeys([*([wanted] if wanted else []), *AIMS]))
    costs: list[Cost] = []
    for aim in aims:
        plan = options.engine if aim is None else str(aim)
        try:
            report, outputs = build_plan(ready, dataclasses.replace(options, optimize=None if aim is None else plan))
        except ArenaBoundError as error:
            costs.append(Cost(plan, arena_bytes=error.needed_bytes))
            continue
        counted = None if budget.instructions is None else _instructions(ready, report, outputs)
        costs.append(Cost(plan, report.flash.total_bytes, report.ram.arena_bytes, counted))
        if costs[-1].meets(budget) and wanted in (None, plan):
            others = f": {'; '.join(cost.told() for cost in costs)}" if len(costs) > 1 else ""
            note = f"the {plan} plan meets {budget.told()}{others}"
            return dataclasses.replace(report, notes=(*report.notes, note)), outputs
    raise missed(budget, costs, ready.board.name, wanted)


def _require_emulator(board: Target) -> None:
    if board.emulator is None or board.emulator.kind != "qemu":
        raise UsageError(
            f"--max-instructions was given, expected a target whose core is emulated: {board.name} is not",
            hint="leave it out, or build for a core such as cortex-m4 (`edgekit targets`)",
        )


def _instructions(ready: Ready, report: BuildReport, outputs: Mapping[str, bytes]) -> int:
    """Count the instructions of one inference on the emulated core."""
    with TemporaryDirectory(prefix="edgekit-") as folder:
        build_folder.write(Path(folder), report, outputs)
        built = build_folder.read(Path(folder))
        with emulate_qemu.open(built.firmware) as link:
            counted = measure(link, built.firmware, built.inputs[:1], built.outputs[:1], ready.line.progress)
        return round(counted.per_run[0])


def _shrunk(line: Pipeline, conversion: Conversion, options: BuildOptions) -> tuple[Conversion, Shrunk | None]:
    """Shrink what was converted, unless that is not wanted."""
    if not options.shrink:
        return conversion, None
    shrunk = line.shrink(conversion.flatbuffer, ShrinkOptions(), pipeline.SHRINK_SAMPLES)
    return dataclasses.replace(conversion, flatbuffer=shrunk.flatbuffer), shrunk


def _folder(path: Path) -> Path:
    if path.exists() and not path.is_dir():
        raise UsageError(f"{path} is a file, expected a folder for the outputs", hint="give another folder with --out")
    return path


def default_folder(name: str, target: str) -> Path:
    """Return where a build goes when nothing else is said.

    Example:
        >>> default_folder("digits", "esp32").as_posix()
        'build/digits/esp32'
    """
    return Path("build") / name / target
