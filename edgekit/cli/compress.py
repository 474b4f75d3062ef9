"""`edgekit compress`: a smaller Keras model, and no further."""

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
@_options.out_option("The .keras file to write; default <model>-compressed.keras in the current folder.")
@click.option("--list", "as_list", is_flag=True, help="List recipes and techniques with their settings, and end.")
@json_option
def command(model: Path | None, out: Path | None, as_list: bool, as_json: bool, **flags: Any) -> None:
    """Compress a Keras model with a recipe.

    The result is an ordinary .keras model; it is converted too, so that its metric is that of the int8 model. Killed,
    it goes on where it was when it is called again.
    """
    if as_list:
        from edgekit.report.compression import techniques_json, techniques_table

        show(techniques_json(), techniques_table, as_json=as_json)
        return
    settings = _options.project_settings()
    chosen = _options.chosen_model(model, settings)
    options = _options.build_options(_options.Flags(**flags), settings)
    from edgekit.single_stages import compress_model

    with DrawnProgress() as progress:
        report = compress_model(chosen, out=out, options=options, progress=progress)
    from edgekit.report.compression import compression_table

    show(report.to_json(), lambda: compression_table(report), as_json=as_json)
