"""`edgekit shrink`: a smaller .tflite that computes the same bits, with a certificate."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from edgekit.cli import _options
from edgekit.cli._output import json_option, show
from edgekit.cli._progress import DrawnProgress
from edgekit.errors import UsageError
from edgekit.tflite.shrink import Names, ShrinkOptions

_DEFAULT_SAMPLES = 200


@click.command()
@_options.model_argument
@click.option("--lossless", is_flag=True, help="Change no bit of any output; the only way to shrink so far.")
@click.option(
    "--names",
    type=click.Choice([name.value for name in Names]),
    default=Names.ENDS.value,
    show_default=True,
    help="Names of tensors that stay: all of them, those of the model's inputs and outputs, none.",
)
@click.option(
    "--for",
    "device",
    type=click.Choice(["microcontroller", "phone"]),
    default="microcontroller",
    show_default=True,
    help="phone: keep signatures and what XNNPACK needs to stay as fast, and let XNNPACK judge too.",
)
@click.option(
    "--decode",
    is_flag=True,
    help="Also compress pruned or clustered weights for TensorFlow Lite Micro's operator DECODE, which expands them in "
    "the arena: the file then runs in TFLM alone.",
)
@click.option("--keep-signatures", is_flag=True, help="Keep signatures, for LiteRT's signature runner on phones.")
@click.option(
    "--samples",
    type=click.IntRange(1, 100_000),
    default=_DEFAULT_SAMPLES,
    show_default=True,
    help="Random inputs on which every engine must stay equal, and as many of --data.",
)
@_options.conversion_options
@_options.out_option(
    "The .tflite file to write; default <model>-shrunk.tflite in the current folder, -tflm with --decode."
)
@json_option
def command(
    model: Path | None,
    lossless: bool,  # noqa: ARG001 - said for the reader of a script; there is no other way yet
    names: str,
    device: str,
    decode: bool,
    keep_signatures: bool,
    samples: int,
    out: Path | None,
    as_json: bool,
    **flags: Any,
) -> None:
    """Make MODEL's .tflite smaller without changing a bit of what it computes.

    Names, notes and records that no runtime reads go, and so do equal constants, operators that do nothing, dead and
    constant channels. TFLM, LiteRT's reference kernels and EdgeKit's engine then run both files: a pass behind which
    one of them gives another byte is left out. A Keras MODEL is converted first. With --decode the weights of pruned
    and clustered layers stay compressed in flash, and TFLM's arena grows by the largest of them.
    """
    settings = _options.project_settings()
    chosen = _options.chosen_model(model, settings)
    options = _options.build_options(_options.Flags(**flags), settings)
    from edgekit.single_stages import shrink_model

    is_phone = device == "phone"
    if is_phone and decode:
        raise UsageError(
            "--decode was given with --for phone, expected one of them",
            hint="DECODE is TensorFlow Lite Micro's: phones run a file without it",
        )
    with DrawnProgress() as progress:
        report = shrink_model(
            chosen,
            out=out,
            options=options,
            shrinking=ShrinkOptions(Names(names), keep_signatures or is_phone, is_phone, decode),
            samples=samples,
            progress=progress,
        )
    from edgekit.report import table

    show(report.to_json(), lambda: table.shrink_table(report), as_json=as_json)
