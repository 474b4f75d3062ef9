"""Tables for people. Every figure says what it is: measured, emulated, or simulated data."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from rich.console import Group, RenderableType
from rich.markup import escape
from rich.table import Table
from rich.text import Text

from edgekit.report.layer_table import layer_table

if TYPE_CHECKING:
    from edgekit.compress import StepResult
    from edgekit.conversion import MetricResult
    from edgekit.doctor import Finding
    from edgekit.report.inspection import Inspection
    from edgekit.report.single import ConvertReport, EmitReport, ShrinkReport
    from edgekit.report.types import BenchReport, BuildReport, ProofFacts
    from edgekit.targets import Target
    from edgekit.tflite.shrink import Certificate

_BAR_CELLS = 20


def build_table(report: BuildReport) -> RenderableType:
    """Draw a build: metric before and after, flash and RAM of what the target has, and where each file is."""
    facts = _facts(f"{report.model.name} for {report.target}, engine {_engine(report)}")
    _add_metric(facts, report.metrics, simulated=report.simulated)
    _add_compression(facts, report.compression)
    _add_proof(facts, report.proof)
    _add_usage(facts, report)
    _add_shrink(facts, report.shrink)
    macs = f"{report.model.macs:,} MACs"
    if report.shrink is not None and report.shrink.macs_after != report.model.macs:
        macs = f"{report.shrink.macs_after:,} MACs ({report.model.macs:,} before shrinking)"
    facts.add_row("operations", f"{macs}, {report.flash_bytes_read:,} B of weights read an inference")
    facts.add_row("model sha256", report.model.sha256)
    facts.add_row("compiler", escape(report.compiler))
    for note in report.notes:
        facts.add_row("note", escape(note))
    return Group(facts, _files(report))


def _engine(report: BuildReport | BenchReport | EmitReport) -> str:
    return report.engine if report.optimize is None else f"{report.engine}, {report.optimize} plan"


def _files(report: BuildReport) -> Table:
    table = _facts(f"files in {report.folder}")
    artifacts = report.artifacts
    if artifacts.keras:
        table.add_row("compressed Keras model", artifacts.keras)
    table.add_row("int8 model", artifacts.tflite)
    table.add_row("C, engine aot", f"{artifacts.c_source}, {artifacts.c_source.removesuffix('.c')}.h")
    stem = artifacts.c_array.removesuffix("_data.cc")
    table.add_row("C for TFLM", f"{artifacts.c_array}, {stem}_data.h, {stem}_ops.h, {stem}_arena.h")
    table.add_row("firmware", artifacts.elf)
    if artifacts.emulated_elf != artifacts.elf:
        table.add_row("firmware, emulator only", artifacts.emulated_elf)
    for address, path in artifacts.images:
        table.add_row("flash image", f"{path} at 0x{address:x}")
    table.add_row("report", "report.json")
    return table


def bench_table(report: BenchReport) -> RenderableType:
    """Draw a bench run. An emulator's count of instructions is printed as that, never as time."""
    facts = _facts(f"{report.model.name} on {report.target}, engine {_engine(report)}")
    spread, unit = report.per_run, report.unit
    shown = {"latency_us": "latency", "instructions": "instructions", "cycles": "cycles"}[unit]
    digits, suffix = (1, " µs") if unit == "latency_us" else (0, "")
    values = (f"{name} {value:,.{digits}f}{suffix}" for name, value in dataclasses.asdict(spread).items())
    facts.add_row(f"{shown} an inference", f"{', '.join(values)}, of {report.runs} runs")
    facts.add_row("clock", f"{report.clock} ({escape(report.where)})")
    if unit == "instructions" and report.model.macs:
        facts.add_row("instructions a MAC", f"{spread.median / report.model.macs:.2f} of {report.model.macs:,} MACs")
    same = "equal to the host's on every byte" if report.match else "NOT equal to the host's"
    facts.add_row("outputs", f"{report.compared} compared ({report.inputs}): {same}\njudge: {escape(report.judge)}")
    _add_usage(facts, report)
    facts.add_row("weights read", f"{report.flash_bytes_read:,} B of flash an inference")
    facts.add_row("model sha256", report.model.sha256)
    facts.add_row("compiler", escape(report.compiler))
    if report.emulator is not None:
        facts.add_row("emulator", escape(report.emulator))
    return facts if report.layers is None else Group(facts, layer_table(report.layers, report.between_layers))


def convert_table(report: ConvertReport) -> RenderableType:
    """Draw a conversion."""
    facts = _facts(f"{report.name}: {report.path}")
    _add_metric(facts, report.conversion.metric, simulated=report.simulated)
    _add_compression(facts, report.conversion.compression)
    _add_proof(facts, report.proof)
    facts.add_row("size", f"{len(report.conversion.flatbuffer):,} B")
    facts.add_row("model sha256", report.sha256)
    for note in report.notes:
        facts.add_row("note", escape(note))
    return facts


def shrink_table(report: ShrinkReport) -> RenderableType:
    """Draw a shrink: what each pass took, and who certifies the result."""
    certificate = report.certificate
    facts = _facts(f"{report.name}: {report.path}")
    size = certificate.bytes_before
    for result in certificate.passes:
        if result.left_out:
            continue
        facts.add_row(result.name, f"{result.changes:,} changes, {size - result.bytes_after:,} B saved")
        size = result.bytes_after
    _add_shrink(facts, certificate)
    facts.add_row("model sha256", certificate.sha256_after)
    for note in report.notes:
        facts.add_row("note", escape(note))
    return facts


def emit_table(report: EmitReport) -> RenderableType:
    """Draw what was emitted."""
    facts = _facts(f"{report.name}: C in {report.folder}")
    for name in report.files:
        facts.add_row("file", name)
    facts.add_row("arena", f"{report.arena_bytes:,} B, engine {_engine(report)}")
    facts.add_row("weights", f"{report.weights_bytes:,} B")
    facts.add_row("MACs", f"{report.macs:,} an inference")
    facts.add_row("model sha256", report.sha256)
    return facts


def _add_metric(facts: Table, metric: MetricResult | None, *, simulated: bool) -> None:
    if metric is None:
        return
    origin = ", simulated data" if simulated else ""
    values = (("float", metric.float), ("compressed", metric.compressed), ("int8", metric.int8))
    shown = " → ".join(f"{value:.4f} {form}" for form, value in values if value is not None)
    if metric.name is not None and shown:
        facts.add_row(f"{metric.name}{origin}", f"{shown}, {metric.samples} samples, {metric.samples_from}")
    if metric.agreement is not None:
        facts.add_row("top-1 agreement", f"{metric.agreement:.4f} of float and int8")


def _add_compression(facts: Table, steps: Sequence[StepResult]) -> None:
    for step in steps:
        facts.add_row(f"compression: {step.technique}", escape(step.summary))


def _add_shrink(facts: Table, certificate: Certificate | None) -> None:
    if certificate is None:
        return
    before, after = certificate.bytes_before, certificate.bytes_after
    text = f"{before:,} → {after:,} B ({-100 * certificate.saved:+.1f} %)"
    if certificate.macs_before != certificate.macs_after:
        text += f", {certificate.macs_before:,} → {certificate.macs_after:,} MACs"
    equal = ", ".join(verdict.engine for verdict in certificate.verdicts if verdict.equal)
    facts.add_row("shrunk losslessly", f"{text}\nequal on every byte ({certificate.inputs}): {escape(equal)}")
    for verdict in certificate.verdicts:
        if verdict.equal is None:
            facts.add_row("", f"{verdict.engine} did not run: {escape(verdict.reason)}")
    for result in certificate.passes:
        if result.left_out:
            facts.add_row("", f"{result.name} {escape(result.left_out)}")


def _add_proof(facts: Table, proof: ProofFacts) -> None:
    verdict = "equal on every byte"
    if proof.equal is False:
        steps = "1 step" if proof.largest_step == 1 else f"{proof.largest_step} steps"
        verdict = f"the judges differ by at most {steps} of the output; the first one counts"
    if proof.equal is None:
        verdict = "only one judge is installed"
    facts.add_row("proof", f"{proof.samples} inferences, {proof.inputs}: {verdict}\n{escape(', '.join(proof.judges))}")


def _add_usage(facts: Table, report: BuildReport | BenchReport) -> None:
    flash, ram = report.flash, report.ram
    parts = (
        f"weights {flash.weights_bytes:,} + kernels {flash.kernels_bytes:,} + application {flash.application_bytes:,} B"
    )
    facts.add_row("flash", Text(f"{_bar(flash.total_bytes, flash.available_bytes)}\n{parts}"))
    parts = f"arena {ram.arena_bytes:,} + engine {ram.engine_bytes:,} + static {ram.static_bytes:,}"
    if ram.total_bytes is None:
        used, parts = ram.without_stack_bytes, f"{parts} B, and the stack, which `edgekit bench` measures"
    else:
        used, parts = ram.total_bytes, f"{parts} + stack {ram.stack_peak_bytes:,} B (high-water mark)"
    facts.add_row("RAM", Text(f"{_bar(used, ram.available_bytes)}\n{parts}"))


def _bar(used: int, available: int) -> str:
    filled = min(_BAR_CELLS, round(_BAR_CELLS * used / available))
    return f"{'█' * filled}{'░' * (_BAR_CELLS - filled)} {used:,} of {available:,} B ({100 * used / available:.1f} %)"


def inspection_table(found: Inspection) -> RenderableType:
    """Draw a model: one row an operator or layer, then the sums."""
    table = Table(title=escape(found.title), title_justify="left")
    for name, justify in (("#", "right"), ("operator", "left"), ("output", "left"), ("MACs", "right")):
        table.add_column(name, justify="right" if justify == "right" else "left")
    table.add_column("constants B", justify="right")
    table.add_column("sparsity", justify="right")
    for row in found.rows:
        sparsity = "–" if row.sparsity is None else f"{row.sparsity:.3f}"
        macs = "–" if row.macs is None else f"{row.macs:,}"
        shape = f"{'x'.join(str(size or '?') for size in row.shape)} {row.dtype}"
        table.add_row(str(row.index), escape(row.operator), shape, macs, f"{row.constants_bytes:,}", sparsity)
    sums = _facts("in all")
    for label, value in found.sums():
        sums.add_row(label, escape(value))
    return Group(table, sums)


def targets_table(found: Sequence[Target]) -> RenderableType:
    """Draw the list of targets."""
    table = Table(title="targets", title_justify="left")
    for name in ("name", "description", "flash", "RAM", "flashed by", "emulated by"):
        table.add_column(name, justify="right" if name in {"flash", "RAM"} else "left")
    for target in found:
        emulator = target.emulator.command if target.emulator is not None and target.emulator.kind != "host" else "–"
        sizes = (f"{target.flash_bytes // 1024:,} KiB", f"{target.ram_bytes // 1024:,} KiB")
        table.add_row(target.name, escape(target.description), *sizes, target.flasher or "–", emulator)
    return table


def target_json(target: Target) -> dict[str, Any]:
    """Return what the JSON form of `edgekit targets` says of one target."""
    return dataclasses.asdict(target)


def doctor_table(findings: Sequence[Finding]) -> RenderableType:
    """Draw what is installed and what installs the rest."""
    table = Table(title="tools", title_justify="left")
    for name in ("tool", "needed for", "found", "install with"):
        table.add_column(name)
    for finding in findings:
        found = escape(finding.version or "yes") if finding.present else "missing"
        table.add_row(
            finding.name, escape(finding.needed_for), found, "" if finding.present else escape(finding.install)
        )
    return table


def _facts(title: str) -> Table:
    table = Table(title=escape(title), title_justify="left", show_header=False, min_width=80)
    table.add_column(no_wrap=True)
    table.add_column(overflow="fold")
    return table
