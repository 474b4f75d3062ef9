"""`edgekit build`: from a model to firmware."""

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
@_options.conversion_options
@_options.shrink_option
@_options.engine_option
@_options.plan_options
@_options.budget_options
@_options.out_option("Folder for the outputs; default build/<model>/<target>.")
@json_option
def command(model: Path | None, target: str | None, out: Path | None, as_json: bool, **flags: Any) -> None:
    """Bring MODEL to a target: from Keras to firmware.

    Compresses when asked, converts, proves, emits C and compiles.

    MODEL is a .keras, .h5 or .tflite file, a SavedModel folder, or a folder with a model.toml; without it, the one
    that [tool.edgekit] of pyproject.toml names.
    """
    settings = _options.project_settings()
    chosen = _options.chosen_model(model, settings)
    name = _options.chosen_target(target, settings)
    options = _options.build_options(_options.Flags(**flags), settings)
    from edgekit.build import build

    with DrawnProgress() as progress:
        report = build(chosen, name, out=_options.chosen_out(out, settings), options=options, progress=progress)
    from edgekit.report import table

    show({**report.to_json(), "folder": str(report.folder)}, lambda: table.build_table(report), as_json=as_json)
