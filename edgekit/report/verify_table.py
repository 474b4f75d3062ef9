"""What `edgekit verify` found, as tables for people."""

from __future__ import annotations

from rich.console import Group, RenderableType
from rich.markup import escape
from rich.table import Table

from edgekit.report.verification import Stage, Verification

_SHOWN_LAYERS = 12


def verify_table(found: Verification) -> RenderableType:
    """Draw the stages, where two part, and the tensors that lose most."""
    simulated = ", simulated data" if found.simulated else ""
    title = f"{found.model}: {found.samples} inputs ({found.samples_from}{simulated}) through every stage"
    stages = Table(title=title, title_justify="left")
    for column in ("stage", "counts for", "compared with", "outputs", "SQNR to float"):
        stages.add_column(column, overflow="fold")
    for stage in found.stages:
        ratio = "" if stage.sqnr_db is None else f"{stage.sqnr_db:.1f} dB"
        cells = (stage.name, stage.counts_for, stage.compared_with, _outputs(stage), ratio)
        stages.add_row(*(escape(cell) for cell in cells))
    parts: list[RenderableType] = [stages]
    diverging = [stage for stage in found.stages if stage.divergence is not None]
    if diverging:
        parts.append(_divergences(diverging))
    if found.layers:
        parts.append(_layers(found))
    return Group(*parts)


def _outputs(stage: Stage) -> str:
    if stage.skipped:
        return f"did not run: {stage.skipped}"
    if stage.equal is None:
        return ""
    return "equal on every byte" if stage.equal else f"differ by up to {stage.largest_step} steps"


def _divergences(stages: list[Stage]) -> Table:
    table = Table(title="the first tensor that differs", title_justify="left")
    for column in ("stage", "operator", "tensor", "by", "likely cause"):
        table.add_column(column, overflow="fold")
    for stage in stages:
        part = stage.divergence
        assert part is not None
        by = f"{part.largest_step} steps, {part.differing:.1%} of it"
        cells = (stage.name, f"{part.op_index} {part.operator}", part.tensor, by, part.cause)
        table.add_row(*(escape(cell) for cell in cells))
    return table


def _layers(found: Verification) -> Table:
    """The suspects, in execution order; where there are none, the tensors that lose most."""
    named, total = found.compared_layers
    lowest = sorted(found.layers, key=lambda layer: layer.sqnr_db if layer.sqnr_db is not None else float("inf"))
    shown = found.suspects[:_SHOWN_LAYERS] or lowest[:3]
    what = "tensors that lose more than rounding explains" if found.suspects else "the tensors that lose most"
    table = Table(title=f"{what} ({named} of {total} have a float twin)", title_justify="left")
    for column in ("operator", "tensor", "SQNR", "outside of the range", "range used", "likely cause"):
        table.add_column(column, overflow="fold")
    for layer in shown:
        ratio = "equal" if layer.sqnr_db is None else f"{layer.sqnr_db:.1f} dB"
        cells = (
            f"{layer.op_index} {layer.operator}",
            layer.tensor,
            ratio,
            f"{layer.saturated:.2%}",
            f"{layer.used:.0%}",
        )
        table.add_row(*(escape(cell) for cell in (*cells, layer.cause)))
    return table
