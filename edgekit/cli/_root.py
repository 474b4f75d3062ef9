"""The root of all commands: finds `edgekit/cli/<command>.py` by its name and imports it when it is needed."""

from __future__ import annotations

import importlib
import pkgutil

import click

import edgekit
from edgekit.errors import UnknownNameError

_EPILOG = (
    "Every command takes --json: one object on stdout, talk on stderr. NO_COLOR is respected. Shell completion: "
    'eval "$(_EDGEKIT_COMPLETE=bash_source edgekit)", or zsh_source; fish: '
    "_EDGEKIT_COMPLETE=fish_source edgekit | source."
)


class LazyGroup(click.Group):
    """A group whose commands are the modules beside this file, each with a click command named `command`."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002
        """Return the names of all commands, sorted."""
        modules = pkgutil.iter_modules(importlib.import_module("edgekit.cli").__path__)
        return sorted(module.name for module in modules if not module.name.startswith("_"))

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import one command; None when there is none of that name."""
        if cmd_name not in self.list_commands(ctx):
            return None
        command = importlib.import_module(f"edgekit.cli.{cmd_name}").command
        assert isinstance(command, click.Command)
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Find the command that the arguments name; suggests the nearest one for an unknown name."""
        if args and not args[0].startswith("-") and args[0] not in self.list_commands(ctx):
            raise UnknownNameError("command", args[0], self.list_commands(ctx))
        return super().resolve_command(ctx, args)


@click.group(cls=LazyGroup, epilog=_EPILOG, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(edgekit.__version__, prog_name="edgekit")
@click.option("--traceback", is_flag=True, help="Show Python's traceback when EdgeKit itself fails.")
def root(traceback: bool) -> None:
    """Bring Keras models to microcontrollers: compress, convert, prove, build, run, measure."""
