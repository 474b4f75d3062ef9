"""`edgekit check`: will a model run, and where not, what helps."""

from __future__ import annotations

from pathlib import Path

import click

from edgekit.cli import _options
from edgekit.cli._output import json_option, show
from edgekit.cli._progress import DrawnProgress

_REFUSED = 3


@click.command()
@_options.model_argument
@_options.target_option
@json_option
@click.pass_context
def command(ctx: click.Context, /, model: Path | None, target: str | None, as_json: bool) -> None:
    """Check MODEL before anything is built.

    The file itself: structure, indices, sizes, options of a .tflite; archive, config and weights of a Keras model. Then
    each operator against what each engine runs, what rewriting cures, and the arena (--target: with that core's
    kernels). Ends with 3 where the file is refused or no engine runs it.
    """
    settings = _options.project_settings()
    chosen = _options.chosen_model(model, settings)
    from edgekit.report.check import check

    with DrawnProgress() as progress:
        found = check(chosen, progress, target=target or settings.target)
    from edgekit.report.check_table import check_table

    show(found.to_json(), lambda: check_table(found), as_json=as_json)
    if found.is_refused:
        ctx.exit(_REFUSED)
