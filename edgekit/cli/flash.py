"""`edgekit flash`: write firmware to a board."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from edgekit.cli import _options
from edgekit.cli._output import json_option, show
from edgekit.cli._progress import DrawnProgress

if TYPE_CHECKING:
    from rich.console import RenderableType

    from edgekit.toolchains import Firmware


@click.command()
@_options.model_argument
@_options.target_option
@click.option("--port", metavar="PORT", help="Serial port of the board, e.g. /dev/ttyUSB0.")
@_options.conversion_options
@_options.engine_option
@_options.plan_options
@_options.out_option("Folder for the build of a MODEL; default build/<model>/<target>.")
@json_option
def command(
    model: Path | None, target: str | None, port: str | None, out: Path | None, as_json: bool, **flags: Any
) -> None:
    """Write firmware to the board at --port.

    MODEL is a build folder, or a model, which is built first.
    """
    settings = _options.project_settings()
    source = _options.chosen_model(model, settings)
    from edgekit.bench import BenchOptions, firmware_of, flash
    from edgekit.build_folder import is_build_folder

    name = target if is_build_folder(source) else _options.chosen_target(target, settings)
    build = _options.build_options(_options.Flags(**flags), settings)
    options = BenchOptions(build=build, out=_options.chosen_out(out, settings))
    chosen_port = port or settings.port
    with DrawnProgress() as progress:
        firmware = firmware_of(source, name, options=options, progress=progress)
        flash(firmware, chosen_port, progress)
    images = [{"address": address, "path": str(path)} for address, path in firmware.images]
    document = {"target": firmware.target.name, "port": chosen_port, "model_sha256": firmware.model_sha256}
    show({**document, "images": images}, lambda: _written(firmware, chosen_port), as_json=as_json)


def _written(firmware: Firmware, port: str | None) -> RenderableType:
    from rich.text import Text

    lines = (f"0x{address:x}  {path}" for address, path in firmware.images)
    return Text("\n".join((f"written to {firmware.target.name} at {port}:", *lines)))
