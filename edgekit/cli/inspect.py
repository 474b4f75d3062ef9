"""`edgekit inspect`: what a model is made of."""

from __future__ import annotations

from pathlib import Path

import click

from edgekit.cli import _options
from edgekit.cli._output import json_option, show
from edgekit.cli._progress import DrawnProgress


@click.command()
@_options.model_argument
@json_option
def command(model: Path | None, as_json: bool) -> None:
    """Show what MODEL is made of.

    Operators with shapes, MACs, sizes and sparsity, and the arena they need.
    """
    chosen = _options.chosen_model(model, _options.project_settings())
    from edgekit.report.inspection import inspect

    with DrawnProgress() as progress:
        found = inspect(chosen, progress)
    from edgekit.report import table

    show(found.to_json(), lambda: table.inspection_table(found), as_json=as_json)
