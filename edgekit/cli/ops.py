"""`edgekit ops`: the operators that the engines run, and what they expect."""

from __future__ import annotations

import click

from edgekit.cli._output import json_option, show


@click.command()
@click.option("--markdown", is_flag=True, help="Print the page docs/operators.md instead of a table.")
@json_option
def command(markdown: bool, as_json: bool) -> None:
    """List the operators that can run on a device, what they expect, and how that is proved."""
    from edgekit.report import operators

    if markdown and not as_json:
        click.echo(operators.operators_markdown(), nl=False)
        return
    show(operators.operators_json(), operators.operators_table, as_json=as_json)
