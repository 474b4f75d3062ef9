"""`edgekit targets`: the boards and cores that firmware can be built for."""

from __future__ import annotations

import click

from edgekit.cli._output import json_option, show


@click.command()
@json_option
def command(as_json: bool) -> None:
    """List the boards and cores that can be built for."""
    from edgekit import targets
    from edgekit.report import table

    found = [targets.load(name) for name in targets.names()]
    show(
        {"targets": [table.target_json(target) for target in found]},
        lambda: table.targets_table(found),
        as_json=as_json,
    )
