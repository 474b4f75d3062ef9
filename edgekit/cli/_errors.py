"""One failure becomes two lines, or one JSON object, and an exit code."""

from __future__ import annotations

import json
import os
import sys

import click

from edgekit.errors import EdgeKitError, UsageError


class InternalError(EdgeKitError):
    """EdgeKit itself is at fault (exit 1)."""

    code = "internal"


class SystemRefusedError(EdgeKitError):
    """The operating system refused a file operation (exit 1)."""

    code = "system"


def report_error(error: Exception, *, as_json: bool) -> int:
    """Print the failure and return the exit code.

    Args:
        error: what ended the command.
        as_json: print `{"schema_version": 1, "error": {...}}` on stdout instead of two lines on stderr.
    """
    known = as_edgekit_error(error)
    if as_json:
        failure = {"code": known.code, "what": known.what, "hint": known.hint}
        click.echo(json.dumps({"schema_version": 1, "error": failure}, indent=2))
    else:
        for label, text, color in (("error", known.what, "red"), ("hint", known.hint, "cyan")):
            shown = click.style(f"{label}:", fg=color, bold=True) if _colored() else f"{label}:"
            click.echo(f"{shown} {text}", err=True)
    return known.exit_code


def as_edgekit_error(error: Exception) -> EdgeKitError:
    """Turn what click, the operating system or a fault of ours raised into an `EdgeKitError`.

    Example:
        >>> as_edgekit_error(click.UsageError("Missing option '--target'.")).exit_code
        2
    """
    if isinstance(error, EdgeKitError):
        return error
    if isinstance(error, click.ClickException):
        return UsageError(error.format_message().rstrip("."), hint=_click_hint(error))
    if isinstance(error, OSError):
        name = f"{error.filename}: " if error.filename else ""
        return SystemRefusedError(
            f"{name}{error.strerror or error}",
            hint="check that the path exists, its permissions, and the free disk space",
        )
    return InternalError(
        f"{type(error).__name__}: {error}",
        hint="this is a fault in EdgeKit: run the command again as `edgekit --traceback ...` and report what it prints",
    )


def _click_hint(error: click.ClickException) -> str:
    if isinstance(error, click.NoSuchOption) and error.possibilities:
        return f"did you mean {' or '.join(error.possibilities)}?"
    context = getattr(error, "ctx", None)
    command = context.command_path if context is not None else "edgekit"
    return f"`{command} --help` lists arguments and options"


def _colored() -> bool:
    return sys.stderr.isatty() and "NO_COLOR" not in os.environ
