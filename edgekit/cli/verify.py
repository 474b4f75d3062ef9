"""`edgekit verify`: one set of inputs through every stage, and where two first part."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from edgekit.cli import _options
from edgekit.cli._output import json_option, show
from edgekit.cli._progress import DrawnProgress

_DEFAULT_TARGET = "cortex-m4"
_NOT_TRUSTED = 7


@click.command()
@_options.model_argument
@_options.target_option
@click.option("--port", metavar="PORT", help="Serial port of a board, which runs the inputs as well.")
@click.option("--samples", type=click.IntRange(1, 1000), default=8, show_default=True, help="Inputs to send through.")
@_options.conversion_options
@json_option
@click.pass_context
def command(
    ctx: click.Context,
    /,
    model: Path | None,
    target: str | None,
    port: str | None,
    samples: int,
    as_json: bool,
    **flags: Any,
) -> None:
    """Send the same inputs through every stage of MODEL, and find the first tensor that differs.

    Float model, LiteRT's reference kernels, LiteRT with XNNPACK, tflite-runtime, TFLM, the aot engine on this computer,
    on an emulated core (--target, default cortex-m4) and on a board (--port). Ends with 7 where EdgeKit's own engine
    gives another byte than the judge.
    """
    settings = _options.project_settings()
    chosen = _options.chosen_model(model, settings)
    options = _options.build_options(_options.Flags(**flags), settings)
    from edgekit.verify import VerifyOptions, verify

    with DrawnProgress() as progress:
        found = verify(
            chosen,
            target or settings.target or _DEFAULT_TARGET,
            options=VerifyOptions(options, samples, port),
            progress=progress,
        )
    from edgekit.report import verify_table

    show(found.to_json(), lambda: verify_table.verify_table(found), as_json=as_json)
    if not found.trusted:
        ctx.exit(_NOT_TRUSTED)
