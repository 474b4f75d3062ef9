"""`edgekit emit`: the C of both engines, and no further."""

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
@_options.engine_option
@_options.plan_options
@_options.out_option("Folder for the C files; default build/<model>/c.")
@json_option
def command(model: Path | None, target: str | None, out: Path | None, as_json: bool, **flags: Any) -> None:
    """Write a full-integer .tflite as C.

    Both the aot engine's sources and what a TensorFlow Lite Micro project needs.
    The target's features choose kernel variants; without --target the plain C99 ones are taken.
    """
    settings = _options.project_settings()
    chosen = _options.chosen_model(model, settings)
    options = _options.build_options(_options.Flags(**flags), settings)
    from edgekit.single_stages import emit_model

    with DrawnProgress() as progress:
        report = emit_model(chosen, target=target, out=out, options=options, progress=progress)
    from edgekit.report import table

    show(report.to_json(), lambda: table.emit_table(report), as_json=as_json)
