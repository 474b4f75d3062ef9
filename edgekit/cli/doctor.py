"""`edgekit doctor`: what is installed, and the one line that installs the rest."""

from __future__ import annotations

import dataclasses

import click

from edgekit.cli._output import json_option, show


@click.command()
@json_option
def command(as_json: bool) -> None:
    """Say what is installed and what to install."""
    from edgekit import doctor
    from edgekit.report import table

    findings = doctor.examine()
    document = {"findings": [dataclasses.asdict(finding) for finding in findings]}
    show(document, lambda: table.doctor_table(findings), as_json=as_json)
