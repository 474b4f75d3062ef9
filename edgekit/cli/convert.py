"""`edgekit convert`: to a full-integer .tflite, and no further."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from edgekit.cli import _options
from edgekit.cli._output import json_option, show
from edgekit.cli._progress import DrawnProgress


@click.command()
@_options.model_argument
@_options.conversion_options
@click.option("--metadata", is_flag=True, help="Write TFLITE_METADATA for phones: name, image normalization, labels.")
@_options.out_option("The .tflite file to write; default <model>.tflite in the current folder.")
@json_option
def command(model: Path | None, metadata: bool, out: Path | None, as_json: bool, **flags: Any) -> None:
    """Convert MODEL to a proved full-integer .tflite.

    Compresses it first when a recipe or a sparsity is given.
    """
    settings = _options.project_settings()
    chosen = _options.chosen_model(model, settings)
    options = _options.build_options(_options.Flags(**flags), settings)
    from edgekit.single_stages import convert_model

    with DrawnProgress() as progress:
        report = convert_model(chosen, out=out, options=options, metadata=metadata, progress=progress)
    from edgekit.report import table

    show(report.to_json(), lambda: table.convert_table(report), as_json=as_json)
