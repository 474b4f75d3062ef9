"""What a command prints: one JSON object, or a table for people. Talk goes to stderr."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar

import click

if TYPE_CHECKING:
    from rich.console import RenderableType

_F = TypeVar("_F", bound=Callable[..., Any])

_PIPED_COLUMNS = 110


def json_option(function: _F) -> _F:
    """Add `--json`, which every command has."""
    return click.option("--json", "as_json", is_flag=True, help="Print one JSON object on stdout.")(function)


def show(document: dict[str, Any], table: Callable[[], RenderableType], *, as_json: bool) -> None:
    """Print a result.

    Args:
        document: the JSON object, without `schema_version`.
        table: makes what people see; called only when it is wanted, since rich costs start-up time.
        as_json: print the document instead.
    """
    if as_json:
        click.echo(json.dumps({"schema_version": 1, **document}, indent=2))
        return
    from rich.console import Console

    terminal = sys.stdout.isatty()
    width = None if terminal or "COLUMNS" in os.environ else _PIPED_COLUMNS
    Console(file=sys.stdout, width=width, highlight=False, soft_wrap=False).print(table())
