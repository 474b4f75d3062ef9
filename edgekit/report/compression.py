"""What a recipe did, step by step, and which recipes and techniques there are."""

from __future__ import annotations

import dataclasses
import inspect
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from rich.console import Group, RenderableType
from rich.markup import escape
from rich.table import Table

from edgekit.compress import load_recipe, recipe_names, technique_class, technique_names

if TYPE_CHECKING:
    from edgekit.compress import Cost, LayerOnCore, OnCore, StepResult
    from edgekit.report.single import CompressReport

_COLUMNS = ("parameters", "not zero", "MACs", "int8 .tflite", "arena", "metric")


def compression_table(report: CompressReport) -> RenderableType:
    """Draw a compression: what the model cost before and after each step, then each step layer by layer."""
    steps = report.conversion.compression
    title = f"{report.name}: {report.path}"
    costs = _costs(title, steps, simulated=report.simulated)
    cores = (_on_core(step.technique, step.core) for step in steps if step.core is not None)
    return Group(costs, *_int8(report), *(_step(step) for step in steps), *cores)


def techniques_table() -> RenderableType:
    """Draw the recipes that ship, and each technique with its settings."""
    recipes = Table(title="recipes", title_justify="left")
    recipes.add_column("name")
    recipes.add_column("what it does")
    for name in recipe_names():
        recipe = load_recipe(name)
        recipes.add_row(name, escape(f"{recipe.description} ({', '.join(step.name for step in recipe.steps)})"))
    return Group(recipes, *(_technique(name) for name in technique_names()))


def techniques_json() -> dict[str, Any]:
    """Return recipes and techniques as an object that JSON can hold."""
    return {
        "recipes": {name: load_recipe(name).description for name in recipe_names()},
        "techniques": {name: list(_settings(name)) for name in technique_names()},
    }


def _int8(report: CompressReport) -> Iterator[str]:
    """The metric above is that of the float model; this is what is left of it on a device."""
    metric = report.conversion.metric
    if metric is not None and metric.name is not None and metric.int8 is not None:
        origin = ", simulated data" if report.simulated else ""
        yield f"{metric.name} as int8: {metric.int8:.4f}, {metric.samples} samples, {metric.samples_from}{origin}"


def _costs(title: str, steps: Sequence[StepResult], *, simulated: bool) -> Table:
    table = Table(title=escape(title), title_justify="left")
    table.add_column("after")
    for column in _COLUMNS:
        name = f"{column}, simulated data" if column == "metric" and simulated else column
        table.add_column(name, justify="right")
    if steps and steps[0].before is not None:
        table.add_row("(as it came)", *_cells(steps[0].before))
    for step in steps:
        if step.after is not None:
            table.add_row(step.technique, *_cells(step.after))
    return table


def _cells(cost: Cost) -> Iterator[str]:
    yield f"{cost.parameters:,}"
    yield f"{cost.nonzero_parameters:,}"
    yield f"{cost.macs:,}"
    yield "not to be had" if cost.int8_bytes is None else f"{cost.int8_bytes:,} B"
    yield "not to be had" if cost.arena_bytes is None else f"{cost.arena_bytes:,} B"
    yield "" if cost.metric is None else f"{cost.metric:.4f}"


def _step(step: StepResult) -> Table:
    table = Table.grid(padding=(0, 2))
    table.add_row(f"[bold]{step.technique}[/]", escape(step.summary))
    for layer in step.layers:
        table.add_row(escape(layer.name), f"{layer.quantity} {layer.before:.4g} → {layer.after:.4g}")
    for name, reason in step.skipped:
        table.add_row(escape(name), f"skipped: {escape(reason)}")
    return table


def _on_core(technique: str, core: OnCore) -> Table:
    """Draw what a step is worth on a core, layer by layer: as it came, as predicted, as it was made."""
    table = Table(title=f"{technique} on {core.target}, engine aot", title_justify="left")
    table.add_column("layer")
    for column in ("form", "constants B", "predicted", "now", "instructions", "predicted", "now"):
        table.add_column(column, justify="left" if column == "form" else "right")
    for layers in zip(core.before, core.predicted, core.after, strict=False):
        table.add_row(layers[0].name, layers[2].form, *_bytes(layers), *_instructions(layers))
    return table


def _bytes(layers: Sequence[LayerOnCore]) -> Iterator[str]:
    return (f"{layer.constants_bytes:,}" for layer in layers)


def _instructions(layers: Sequence[LayerOnCore]) -> Iterator[str]:
    return ("–" if layer.instructions is None else f"{layer.instructions:,}" for layer in layers)


def _technique(name: str) -> Table:
    said = inspect.getdoc(technique_class(name)) or ""
    table = Table(title=f"{name}: {escape(said.splitlines()[0])}", title_justify="left")
    for column in ("setting", "default", "meaning"):
        table.add_column(column)
    for setting in _settings(name):
        table.add_row(setting["name"], escape(repr(setting["default"])), escape(_meaning(setting)))
    return table


def _meaning(setting: dict[str, Any]) -> str:
    low, high, below = (setting[key] for key in ("low", "high", "below"))
    bounds = [f"at least {low:.10g}"] if low is not None else []
    bounds += [f"at most {high:.10g}"] if high is not None else []
    bounds += [f"below {below:.10g}"] if below is not None else []
    span = f"; {', '.join(bounds)}" if bounds else ""
    choices = f"; one of {', '.join(setting['choices'])}" if setting["choices"] else ""
    return f"{setting['help']}{span}{choices}"


def _settings(name: str) -> Iterator[dict[str, Any]]:
    """Yield name, default and range of each setting of a technique."""
    for field in dataclasses.fields(technique_class(name)):
        yield {"name": field.name, "default": field.default, **field.metadata}
