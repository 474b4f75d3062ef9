"""A memory plan for people: the map in letters, the peak, the other plans, the edits."""

from __future__ import annotations

from rich.console import Console, ConsoleOptions, Group, RenderableType, RenderResult
from rich.markup import escape
from rich.table import Table
from rich.text import Text

from edgekit.report import arena_map
from edgekit.report.plan import PlanReport

_ROWS = 20
_MARGIN = 10
_MOST_COLUMNS = 96
_LEGEND_ENTRIES = 24
_NAME = 44
# Signs of neighbors differ in color; a terminal without colors shows the letters alone.
_STYLES = ("red", "green", "yellow", "blue", "magenta", "cyan", "bright_red", "bright_green", "bright_blue")


def plan_table(report: PlanReport) -> RenderableType:
    """Draw a plan."""
    parts: list[RenderableType] = [Text(report.title, style="bold"), ""]
    if report.layers and report.bands:
        parts += [_Map(report), "", _legend(report)]
    parts.append(_peak(report))
    if report.weights:
        parts.append(_weights(report))
    parts.append(_alternatives(report))
    if report.edits:
        parts.append(_edits(report))
    return Group(*parts)


class _Map:
    """The map, as wide as the console."""

    def __init__(self, report: PlanReport) -> None:
        self.report = report

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        report = self.report
        steps = len(report.layers)
        room = min(_MOST_COLUMNS, max(8, options.max_width - _MARGIN - 2))
        columns = room if steps > room else room // steps * steps
        arena = report.occupancy.arena_bytes
        lines = arena_map.grid(report.bands, steps, arena, columns, _ROWS)
        styles = {sign: _STYLES[index % len(_STYLES)] for index, sign in enumerate(arena_map.LETTERS)}
        for number, line in enumerate(lines):
            top = arena * (_ROWS - number) // _ROWS
            text = Text(f"{top:>{_MARGIN - 2},} ")
            for sign in line:
                text.append(sign, style=styles.get(sign, "dim"))
            yield text
        yield Text(f"{0:>{_MARGIN - 2}} {_axis(report, columns)}")
        yield Text(" " * (_MARGIN - 1) + _mark(report.occupancy.peak_step, steps, columns))


def _axis(report: PlanReport, columns: int) -> str:
    """Numbers of operators below their steps, as far as there is room."""
    line = [" "] * columns
    free, shown = 0, ""
    for step, layer in enumerate(report.layers):
        number = layer.split(" ")[0]
        at = step * columns // len(report.layers)
        if at >= free and number != shown and at + len(number) <= columns:
            line[at : at + len(number)] = number
            free, shown = at + len(number) + 1, number
    return "".join(line)


def _mark(step: int, steps: int, columns: int) -> str:
    at = (2 * step + 1) * columns // (2 * steps)
    text = "▲ peak"
    return " " * at + text if at + len(text) <= columns else f"{'peak ▲':>{at + 1}}"


def _legend(report: PlanReport) -> Table:
    names = arena_map.letters(report.bands)
    table = Table(box=None, show_header=False, pad_edge=False)
    entries = sorted(names, key=lambda index: -report.bands[index].area)[:_LEGEND_ENTRIES]
    cells = []
    for index in sorted(entries):
        band = report.bands[index]
        ring = f", {band.rows} of {band.all_rows} rows" if band.rows < band.all_rows else ""
        what = f"work memory of {band.name}" if band.kind == "scratch" else _name(band.name)
        cells.append(f"{names[index]} {what}, {band.bytes:,} B{ring}")
    half = -(-len(cells) // 2)
    for left, right in zip(cells[:half], [*cells[half:], ""], strict=False):
        table.add_row(escape(left), escape(right))
    if len(names) > len(entries):
        table.add_row(f"and {len(names) - len(entries)} smaller ones")
    return table


def _name(name: str) -> str:
    """The first of the names that a converter joined."""
    first = name.partition(";")[0]
    return first if len(first) <= _NAME else f"…{first[1 - _NAME :]}"


def _peak(report: PlanReport) -> Table:
    table = Table(title="peak", title_justify="left", show_header=False, min_width=60)
    table.add_column()
    table.add_column(justify="right")
    found = report.occupancy
    where = f"in step {found.peak_step + 1} of {len(report.layers)}, operator {report.layers[found.peak_step]}"
    table.add_row(f"bytes that live at once, {where}" if report.layers else "no steps", f"{report.peak_bytes:,} B")
    for block in found.at_peak:
        what = f"  work memory of {block.name}" if block.kind == "scratch" else f"  {_name(block.name)}"
        table.add_row(escape(what), f"{block.peak_bytes:,} B")
    if found.arena_bytes > report.peak_bytes:
        table.add_row("arena: the gaps between them, and alignment", f"{found.arena_bytes - report.peak_bytes:,} B")
    return table


def _weights(report: PlanReport) -> Table:
    """In which form each layer's weights are stored."""
    table = Table(title="weights, instructions as predicted", title_justify="left", min_width=60)
    for name in ("layer", "form"):
        table.add_column(name)
    for name in ("bytes", "dense", "instructions", "dense"):
        table.add_column(name, justify="right")
    table.add_column("why")
    for each in report.weights:
        counts = ("?" if count is None else f"{count:,}" for count in (each.instructions, each.dense_instructions))
        table.add_row(each.layer, each.form, f"{each.bytes:,}", f"{each.dense_bytes:,}", *counts, each.why)
    return table


def _alternatives(report: PlanReport) -> Table:
    table = Table(title="plans, each without a bound on the arena", title_justify="left", min_width=60)
    table.add_column("--optimize")
    for name in ("arena B", "weights stored B", "weights read B", "calls"):
        table.add_column(name, justify="right")
    for plan in report.alternatives:
        sizes = (plan.arena_bytes, plan.weights_bytes, plan.flash_bytes_read, plan.steps)
        streams = " --stream-input" if plan.stream_input else ""
        table.add_row(f"{plan.optimize}{streams}", *(f"{size:,}" for size in sizes))
    return table


def _edits(report: PlanReport) -> Table:
    title = "edits that lower the arena: edited models, planned with the same aim; train and measure them"
    table = Table(title=title, title_justify="left", min_width=60)
    table.add_column("edit")
    for name in ("arena B", "saved B", "MACs"):
        table.add_column(name, justify="right")
    for edit in report.edits:
        table.add_row(escape(edit.what), f"{edit.arena_bytes:,}", f"{edit.saved_bytes:,}", f"{edit.macs:,}")
    return table
