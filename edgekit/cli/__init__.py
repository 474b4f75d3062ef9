"""The command line: parse, call one library function, draw. One file a command; its name is the command's name."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence

import click

from edgekit.cli._errors import report_error
from edgekit.errors import EdgeKitError


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the console script `edgekit`.

    Every foreseen failure ends here: one line `error:`, one line `hint:`, and the exit code of its class.

    Args:
        arguments: what follows the program's name; None reads `sys.argv`.

    Raises:
        SystemExit: always, with the exit code of DESIGN section 7, or 130 after Ctrl-C.
    """
    from edgekit.cli._root import root

    given = list(sys.argv[1:] if arguments is None else arguments)
    as_json = "--json" in given
    try:
        code = root.main(args=given, prog_name="edgekit", standalone_mode=False)
    except EdgeKitError as error:
        sys.exit(report_error(error, as_json=as_json))
    except (click.exceptions.Abort, KeyboardInterrupt):
        click.echo("stopped", err=True)
        sys.exit(130)
    except BrokenPipeError:
        # The reader of our output (head, less) has gone: nothing is left to say, not even by Python at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(0)
    # Whatever else comes is turned into the same two lines; `--traceback` shows the whole of it.
    except Exception as error:
        if "--traceback" in given:
            raise
        sys.exit(report_error(error, as_json=as_json))
    sys.exit(code if isinstance(code, int) else 0)
