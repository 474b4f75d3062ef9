"""`edgekit bench`: run firmware, compare it with the host, measure."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from edgekit.cli import _options
from edgekit.cli._output import json_option, show
from edgekit.cli._progress import DrawnProgress


@click.command()
@_options.model_argument
@_options.target_option
@click.option(
    "--port", metavar="PORT", help="Serial port of the board, e.g. /dev/ttyUSB0; without it, the emulator runs."
)
@click.option("--emulate", is_flag=True, help="Run the emulator although the settings name a port.")
@click.option("--runs", type=int, default=10, show_default=True, help="Inferences to measure.")
@click.option("--per-layer", is_flag=True, help="Count the instructions of each layer too, on an emulator.")
@click.option("--flash", is_flag=True, help="Write the firmware to the board first.")
@_options.conversion_options
@_options.shrink_option
@_options.engine_option
@_options.plan_options
@_options.out_option("Folder for the build of a MODEL; default build/<model>/<target>.")
@json_option
def command(
    model: Path | None,
    target: str | None,
    port: str | None,
    emulate: bool,
    runs: int,
    per_layer: bool,
    flash: bool,
    out: Path | None,
    as_json: bool,
    **flags: Any,
) -> None:
    """Run firmware on a board or an emulator and measure.

    MODEL is a build folder, or a model, which is built first.

    Sends real inputs, compares every output byte with the host's, and reports latency (or instructions, when
    emulated), stack, RAM and flash.
    """
    settings = _options.project_settings()
    source = _options.chosen_model(model, settings)
    from edgekit.bench import BenchOptions, bench
    from edgekit.build_folder import is_build_folder

    name = target if is_build_folder(source) else _options.chosen_target(target, settings)
    build = _options.build_options(_options.Flags(**flags), settings)
    options = BenchOptions(
        runs=runs, build=build, out=_options.chosen_out(out, settings), flash=flash, per_layer=per_layer
    )
    with DrawnProgress() as progress:
        report = bench(
            source, name, port=port or (None if emulate else settings.port), options=options, progress=progress
        )
    from edgekit.report import table

    show(report.to_json(), lambda: table.bench_table(report), as_json=as_json)
