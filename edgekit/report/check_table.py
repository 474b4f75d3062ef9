"""What `edgekit check` found, as tables for people."""

from __future__ import annotations

from collections.abc import Sequence

from rich.console import Group, RenderableType
from rich.markup import escape
from rich.table import Table

from edgekit.report.check import Check, EngineCheck, OperatorCheck

_SHOWN = 40
_LISTED = 8


def check_table(found: Check) -> RenderableType:
    """Draw the engines first, then the operators; those that are fine only where there are few."""
    verdict = Table(title=escape(f"{found.name} ({found.kind})"), title_justify="left", show_header=False, min_width=80)
    verdict.add_column(no_wrap=True)
    verdict.add_column(overflow="fold")
    verdict.add_row("file", "well-formed: nothing in it leads outside or contradicts itself")
    for engine in found.engines:
        verdict.add_row(f"engine {engine.engine}", escape(_engine(engine)))
    if found.rewrites:
        passes = ", ".join(f"{name} ({changes})" for name, changes in found.rewrites)
        verdict.add_row("rewritten first", f"by `build` and `convert`: {escape(passes)}")
    if found.note:
        verdict.add_row("note", escape(found.note))
    wrong = [operator for operator in found.operators if not operator.is_fine]
    parts: list[RenderableType] = [verdict]
    if found.operators:
        parts.append(_operators(found, found.operators if len(found.operators) <= _SHOWN else wrong[:_SHOWN]))
    if wrong:
        parts.append(_reasons(wrong))
    return Group(*parts)


def _engine(engine: EngineCheck) -> str:
    if not engine.runs:
        return f"does not run it: {engine.reason}"
    if engine.arena_bytes is None:
        return "runs it"
    if engine.arena_bytes_elsewhere is None:
        return f"runs it, arena {engine.arena_bytes:,} B"
    elsewhere = f"{engine.arena_bytes_elsewhere:,} B on RISC-V and Xtensa"
    return f"runs it, arena about {engine.arena_bytes:,} B on Arm, {elsewhere} (estimated from above, this file)"


def _operators(found: Check, shown: Sequence[OperatorCheck]) -> Table:
    """One row an operator: who runs it."""
    table = Table(title=f"operators of the file: {len(shown)} of {len(found.operators)}", title_justify="left")
    for name in ("#", "operator", "types", "output", "aot", "tflm"):
        table.add_column(name, justify="right" if name == "#" else "left")
    for operator in shown:
        shape = "x".join(map(str, operator.shape))
        kind = f"{operator.operator} v{operator.version}"
        tflm = "no" if operator.tflm else "wrong" if operator.caution else "runs"
        cells = (str(operator.index), kind, operator.types, shape, "no" if operator.aot else "runs", tflm)
        table.add_row(*(escape(cell) for cell in cells))
    return table


def _reasons(wrong: Sequence[OperatorCheck]) -> Table:
    """Each reason once, with the operators that it holds for and what helps."""
    grouped: dict[tuple[str, str, str], list[str]] = {}
    for operator in wrong:
        for engine, reason in (("aot", operator.aot), ("tflm", operator.tflm or operator.caution)):
            if reason is not None:
                grouped.setdefault((engine, reason, operator.cure or ""), []).append(f"{operator.index}")
    table = Table(title="what is in the way", title_justify="left")
    for name in ("engine", "operators", "reason", "what helps"):
        table.add_column(name, overflow="fold")
    for (engine, reason, cure), indices in grouped.items():
        listed = ", ".join(indices[:_LISTED]) + (
            f" and {len(indices) - _LISTED} more" if len(indices) > _LISTED else ""
        )
        table.add_row(*(escape(cell) for cell in (engine, listed, reason, cure)))
    return table
