"""Measure every model on every target with every engine, print the table, and keep it in docs/measurements.md.

The models are those of models/ and, where it lies beside the checkout, of ../shared/models. Each is built and run
as `edgekit bench` does it; every output byte is compared with the judge's. Counts of emulated instructions are the
same from run to run; the host's times are not, so they are left out.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from edgekit import targets
from edgekit.bench import BenchOptions, bench
from edgekit.build import ENGINES, BuildOptions
from edgekit.errors import EdgeKitError, ToolchainError
from edgekit.report.types import BenchReport

REPOSITORY = Path(__file__).resolve().parent.parent
SHARED = REPOSITORY.parent / "shared" / "models"
RUNS = 3
COLUMNS = (
    "model", "target", "engine", "instructions", "per MAC", "arena B", "stack B", "static RAM B", "kernels B",
    "weights B", "flash read B",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Cell:
    """One model on one target with one engine: what was measured, or why nothing was."""

    model: str
    target: str
    engine: str
    report: BenchReport | None
    reason: str


def models() -> Iterator[Path]:
    """Yield the models in the order of the table."""
    for description in sorted((REPOSITORY / "models").glob("*/model.toml")):
        # The committed flatbuffer: retraining is no part of a measurement, and it measures the same bytes everywhere.
        flatbuffer = description.parent / "model.tflite"
        yield flatbuffer if flatbuffer.is_file() else description.parent
    if SHARED.is_dir():
        yield from sorted(SHARED.glob("*_int8.tflite"))


def name_of(model: Path) -> str:
    """Return a model's name: its folder's in models/, else the file's."""
    return model.parent.name if model.name == "model.tflite" else model.stem


def measure(model: Path, target: str, engine: str) -> Cell:
    """Build and bench once; a missing compiler or TFLM tree leaves a reason instead of numbers."""
    out = REPOSITORY / "build" / "measurements" / name_of(model) / f"{target}-{engine}"
    options = BenchOptions(runs=RUNS, build=BuildOptions(engine=engine), out=out)
    try:
        report = bench(model, target, options=options)
    except ToolchainError as error:
        return Cell(name_of(model), target, engine, None, error.what)
    return Cell(name_of(model), target, engine, report, "")


def row(cell: Cell) -> tuple[str, ...]:
    """Return the texts of one line; what was not measured is a dash."""
    found = cell.report
    assert found is not None, "a cell without a report has no line"
    if found.per_run.min != found.per_run.max and found.unit == "instructions":
        counts = f"{found.per_run.median:,.0f} ({found.per_run.min:,.0f} to {found.per_run.max:,.0f})"
    else:
        counts = f"{found.per_run.median:,.0f}"
    # A time of this computer would differ from run to run, and must not stand in a column of counts.
    counted = found.unit == "instructions"
    per_mac = f"{found.per_run.median / found.model.macs:.2f}" if counted and found.model.macs else "–"
    stack = "–" if found.ram.stack_peak_bytes is None or not counted else f"{found.ram.stack_peak_bytes:,}"
    sizes = (found.ram.static_bytes, found.flash.kernels_bytes, found.flash.weights_bytes, found.flash_bytes_read)
    first = (cell.model, cell.target, cell.engine, counts if counted else "–", per_mac, f"{found.ram.arena_bytes:,}")
    return (*first, stack, *(f"{size:,}" for size in sizes))


def page(cells: list[Cell]) -> str:
    """Return docs/measurements.md."""
    reports = [cell.report for cell in cells if cell.report is not None]
    tools = sorted({tool for report in reports for tool in (report.compiler, report.emulator) if tool})
    reasons = sorted({f"{cell.engine} on {cell.target}: {cell.reason}" for cell in cells if cell.report is None})
    lines = [
        "# Measurements",
        "",
        "Made by `make bench`. Instructions are those of one inference under QEMU's `-icount`, emulated, interrupts",
        "and I/O excluded: no time of a chip. Every output byte of every run was equal to the judge's. On the host",
        "nothing is counted; its outputs are compared all the same. A dash: not measured. Flash read: weight bytes",
        "that one inference reads.",
        "",
        f"| {' | '.join(COLUMNS)} |",
        f"|{'|'.join(['---'] * 3 + ['---:'] * (len(COLUMNS) - 3))}|",
        *(f"| {' | '.join(row(cell))} |" for cell in cells if cell.report is not None),
        "",
        "Tools:",
        *(f"- {tool}" for tool in tools),
        "- judges: " + "; ".join(sorted({report.judge for report in reports})),
    ]
    if reasons:
        lines += ["", "Not measured, for every model:", *(f"- {reason}" for reason in reasons)]
    return "\n".join(lines) + "\n"


def main() -> int:
    """Measure all, print and keep the page."""
    cells: list[Cell] = []
    for target in targets.names():
        for engine in ENGINES:
            for model in models():
                sys.stderr.write(f"{name_of(model)} on {target}, {engine}\n")
                cells.append(measure(model, target, engine))
                if cells[-1].report is None:
                    # The toolchain is missing or cannot link this engine: so it is for every model.
                    break
    cells.sort(key=lambda cell: cell.model)
    text = page(cells)
    (REPOSITORY / "docs" / "measurements.md").write_text(text, encoding="utf-8")
    sys.stdout.write(text)
    return 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except EdgeKitError as error:
        sys.exit(f"error: {error.what}\nhint: {error.hint}")
