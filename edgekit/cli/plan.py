"""`edgekit plan`: the arena over time, what makes its peak, and what would lower it."""

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
@_options.plan_options
@click.option("--svg", type=click.Path(path_type=Path, dir_okay=False), metavar="FILE", help="Also draw the map there.")
@click.option("--no-edits", is_flag=True, help="Do not plan edited models.")
@_options.conversion_options
@_options.shrink_option
@json_option
def command(
    model: Path | None, target: str | None, svg: Path | None, no_edits: bool, as_json: bool, **flags: Any
) -> None:
    """Show how MODEL fills the arena over time.

    The map, its peak and the tensors that make it, what other plans would take, and which edits of the model's
    architecture would lower it: each edited model is planned, none is trained.
    """
    settings = _options.project_settings()
    chosen = _options.chosen_model(model, settings)
    options = _options.build_options(_options.Flags(**flags), settings)
    from edgekit.plan_model import plan_model

    with DrawnProgress() as progress:
        report = plan_model(
            chosen, target=target or settings.target, options=options, edits=not no_edits, progress=progress
        )
    if svg is not None:
        from edgekit.atomic import write_atomically
        from edgekit.report import arena_svg

        write_atomically(svg, arena_svg.svg(report))

    def table() -> Any:
        from edgekit.report.plan_table import plan_table

        return plan_table(report)

    show({**report.to_json(), "svg": str(svg) if svg is not None else None}, table, as_json=as_json)
