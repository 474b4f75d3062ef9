"""Options that several commands share, and how flags and settings meet."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from edgekit.errors import UsageError

if TYPE_CHECKING:
    from edgekit.build import BuildOptions
    from edgekit.settings import Settings

_F = TypeVar("_F", bound=Callable[..., Any])

ENGINES = ("aot", "tflm")
OPTIMIZE = ("balanced", "flash", "ram", "speed")


def _complete_target(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[str]:  # noqa: ARG001
    from edgekit import targets

    return [name for name in targets.names() if name.startswith(incomplete)]


def _complete_engine(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[str]:  # noqa: ARG001
    return [name for name in ENGINES if name.startswith(incomplete)]


def _complete_optimize(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[str]:  # noqa: ARG001
    return [name for name in OPTIMIZE if name.startswith(incomplete)]


def _complete_form(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[str]:  # noqa: ARG001
    from edgekit.engine.options import FORMS

    return [name for name in FORMS if name.startswith(incomplete)]


def target_option(function: _F) -> _F:
    """Add `--target`; the library checks the name, so that one error speaks for all ways in."""
    return click.option(
        "--target", metavar="NAME", shell_complete=_complete_target, help="Board or core: `edgekit targets` lists them."
    )(function)


def model_argument(function: _F) -> _F:
    """Add the argument MODEL, which settings may replace."""
    return click.argument("model", required=False, type=click.Path(path_type=Path))(function)


def conversion_options(function: _F) -> _F:
    """Add what decides how a model is compressed and converted."""
    for option in reversed(
        (
            click.option(
                "--data", metavar="FILE|MODULE:FUNCTION", help="Representative samples: an .npz file or a function."
            ),
            click.option("--recipe", metavar="NAME|FILE", help="Compression recipe; `none` skips the model's own."),
            click.option("--sparsity", type=float, metavar="S", help="Prune this fraction of the weights, 0 <= S < 1."),
            click.option("--metric", metavar="NAME", help="accuracy, auc, mse or module:function."),
            click.option(
                "--objects",
                metavar="FILE|MODULE",
                help="Python file or module that registers the model's custom layers. It is run to convert the model.",
            ),
            click.option(
                "--memory-limit",
                type=click.FloatRange(min=1),
                metavar="GB",
                help="What the conversion may take; default four fifths of the machine's memory.",
            ),
            click.option(
                "--no-cache",
                is_flag=True,
                help="Compute every stage again. Needed when a data function reads files that have changed: the cache "
                "knows the function's own source only.",
            ),
        )
    ):
        function = option(function)
    return function


def shrink_option(function: _F) -> _F:
    """Add `--no-shrink`."""
    text = "Build the .tflite as it was converted, not losslessly shrunk."
    return click.option("--no-shrink", is_flag=True, help=text)(function)


def engine_option(function: _F) -> _F:
    """Add `--engine`."""
    text = "aot (default): plain C of this model; tflm: TensorFlow Lite Micro."
    return click.option("--engine", metavar="NAME", shell_complete=_complete_engine, help=text)(function)


def plan_options(function: _F) -> _F:
    """Add `--optimize`, `--max-ram`, `--stream-input` and `--form`."""
    aim = (
        "What engine aot gives up last: speed, ram, flash, or balanced (default): fast with weights in their own size."
    )
    bound = "Bound on the arena, e.g. 36KiB: the fastest plan that fits."
    streamed = "The application hands over the input row by row: only rows still to be read lie in the arena."
    form = "Store weights so wherever a kernel reads it: dense, blocks, delta, ...; without it each layer's is chosen."
    function = click.option("--form", metavar="NAME", shell_complete=_complete_form, help=form)(function)
    function = click.option("--stream-input", is_flag=True, help=streamed)(function)
    function = click.option("--max-ram", metavar="BYTES", help=bound)(function)
    return click.option("--optimize", metavar="AIM", shell_complete=_complete_optimize, help=aim)(function)


def budget_options(function: _F) -> _F:
    """Add `--max-flash` and `--max-instructions`, the budget beside `--max-ram`."""
    flash = "Bound on the firmware's flash, e.g. 64KiB: without --optimize the first plan that meets the budget."
    count = "Bound on the instructions of one inference on the emulated core, e.g. 5M."
    function = click.option("--max-instructions", metavar="COUNT", help=count)(function)
    return click.option("--max-flash", metavar="BYTES", help=flash)(function)


def out_option(text: str) -> Callable[[_F], _F]:
    """Add `--out` with a help text that says what it is here."""
    return click.option("--out", type=click.Path(path_type=Path), metavar="PATH", help=text)


def chosen_out(out: Path | None, settings: Settings) -> Path | None:
    """Return the folder for outputs that was named, by flag or in the settings."""
    return out if out is not None or settings.out is None else settings.path(settings.out)


@dataclass(frozen=True, slots=True)
class Flags:
    """What the user gave on the command line, before settings fill the gaps."""

    data: str | None = None
    recipe: str | None = None
    sparsity: float | None = None
    metric: str | None = None
    engine: str | None = None
    no_cache: bool = False
    no_shrink: bool = False
    objects: str | None = None
    memory_limit: float | None = None
    optimize: str | None = None
    max_ram: str | None = None
    max_flash: str | None = None
    max_instructions: str | None = None
    stream_input: bool = False
    form: str | None = None


def project_settings() -> Settings:
    """Read the settings of the project that the current folder belongs to."""
    from edgekit.settings import find

    return find(Path())


def chosen_model(model: Path | None, settings: Settings) -> Path:
    """Return the model that was named, by argument or in the settings."""
    if model is not None:
        return model
    if settings.model is not None:
        return settings.path(settings.model)
    raise UsageError(
        "no model was named: no MODEL argument, no `model` in [tool.edgekit]",
        hint='name one, e.g. `edgekit build model.keras`, or write model = "model.keras" under [tool.edgekit] of '
        "pyproject.toml",
    )


def chosen_target(target: str | None, settings: Settings) -> str:
    """Return the target that was named, by flag or in the settings."""
    chosen = target or settings.target
    if chosen is None:
        raise UsageError(
            "no target was named: no --target, no `target` in [tool.edgekit]",
            hint="give --target NAME; `edgekit targets` lists the names",
        )
    return chosen


def build_options(flags: Flags, settings: Settings) -> BuildOptions:
    """Return the library's options: flags win over settings, and each relative path starts where it was written."""
    from edgekit.build import BuildOptions
    from edgekit.model_source import DataSource

    data: DataSource | None = None
    if flags.data is not None:
        data = DataSource(flags.data, Path())
    elif settings.data is not None:
        data = DataSource(settings.data, settings.base)
    own_recipe = flags.recipe is None and flags.sparsity is None
    recipe = settings.recipe if own_recipe else flags.recipe
    if own_recipe and recipe is not None and settings.path(recipe).is_file():
        recipe = str(settings.path(recipe))
    return BuildOptions(
        data=data,
        recipe=recipe,
        sparsity=settings.sparsity if own_recipe and recipe is None else flags.sparsity,
        metric=flags.metric or settings.metric,
        engine=flags.engine or settings.engine or ENGINES[0],
        cached=not flags.no_cache,
        shrink=not flags.no_shrink,
        objects=flags.objects,
        memory_limit_bytes=None if flags.memory_limit is None else int(flags.memory_limit * 1e9),
        optimize=flags.optimize or settings.optimize,
        max_ram_bytes=_max_ram_bytes(flags, settings),
        max_flash_bytes=_max_flash_bytes(flags, settings),
        max_instructions=_max_instructions(flags, settings),
        stream_input=flags.stream_input or bool(settings.stream_input),
        form=flags.form or settings.form,
    )


def _max_ram_bytes(flags: Flags, settings: Settings) -> int | None:
    from edgekit.sizes import size_bytes

    if flags.max_ram is not None:
        return size_bytes(flags.max_ram, name="--max-ram")
    return None if settings.max_ram is None else size_bytes(settings.max_ram, name="max_ram")


def _max_flash_bytes(flags: Flags, settings: Settings) -> int | None:
    from edgekit.sizes import size_bytes

    if flags.max_flash is not None:
        return size_bytes(flags.max_flash, name="--max-flash")
    return None if settings.max_flash is None else size_bytes(settings.max_flash, name="max_flash")


def _max_instructions(flags: Flags, settings: Settings) -> int | None:
    from edgekit.sizes import count

    if flags.max_instructions is not None:
        return count(flags.max_instructions, name="--max-instructions")
    return None if settings.max_instructions is None else count(settings.max_instructions, name="max_instructions")
