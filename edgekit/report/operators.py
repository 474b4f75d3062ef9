"""What `edgekit ops` says: the operators of each engine, what aot expects of them, and how that is proved."""

from __future__ import annotations

import dataclasses
import importlib
import typing
from dataclasses import dataclass
from typing import TYPE_CHECKING

from edgekit.engine import ops
from edgekit.tflite import decode, known_differences, tflm_operators

if TYPE_CHECKING:
    from rich.console import RenderableType

_INTEGERS = ("int8", "int16", "int32", "bool")
_HEAD = """# Operators

Written by `edgekit ops --markdown` from the checks of `edgekit/engine/ops/`; a test holds it to them. What stands under
"aot expects" is what the error says of an operator that does not fit.

- **aot expects**: what EdgeKit's own engine needs to run the operator.
- **TFLM**: the integer types in which TensorFlow Lite Micro runs it (its Python wheel).
- **LiteRT reference**: what LiteRT's reference kernels give against TFLM's.
  Its DECODE (`TFLM_DECODE`, compressed weights of `edgekit shrink --decode`) is none of these: aot's weights are
  decoded when the C is written.
- **proved**: whose outputs `tests/kernels` finds equal to those of aot, bit for bit, on random models.
"""


@dataclass(frozen=True, slots=True)
class OperatorEntry:
    """One operator that aot runs.

    Attributes:
        operator: TFLite's name.
        expects: what aot needs, one sentence each.
        tflm: integer types that TFLM runs; empty where it has none.
        litert: how LiteRT's reference kernels compare with TFLM.
        judge: whose bits aot's are: ``TFLM`` or ``LiteRT``.
    """

    operator: str
    expects: tuple[str, ...]
    tflm: tuple[str, ...]
    litert: str
    judge: str


def operators() -> tuple[OperatorEntry, ...]:
    """Return all operators that aot runs, sorted by name."""
    return tuple(_entry(name) for name in ops.names())


def elsewhere() -> tuple[str, ...]:
    """Return the operators that TFLM runs with integers and aot does not."""
    lacking = set(tflm_operators.TYPES) - set(ops.names()) - {decode.KIND}
    return tuple(sorted(name for name in lacking if set(tflm_operators.TYPES[name]) & set(_INTEGERS)))


def operators_json() -> dict[str, typing.Any]:
    """Return the JSON form of `edgekit ops`."""
    return {"operators": [dataclasses.asdict(entry) for entry in operators()], "only_tflm": list(elsewhere())}


def operators_markdown() -> str:
    """Return docs/operators.md."""
    lines = [
        _HEAD,
        "| operator | aot expects | TFLM | LiteRT reference | proved |",
        "|---|---|---|---|---|",
    ]
    for entry in operators():
        cells = ("; ".join(entry.expects), ", ".join(entry.tflm) or "no", entry.litert, entry.judge)
        lines.append(f"| `{entry.operator}` | {' | '.join(cell.replace('|', chr(92) + '|') for cell in cells)} |")
    only = ", ".join(f"`{name}`" for name in elsewhere())
    return "\n".join([*lines, "", f"Only the tflm engine runs these with integers: {only}.", ""])


def operators_table() -> RenderableType:
    """Draw the operators for people."""
    from rich.console import Group
    from rich.markup import escape
    from rich.table import Table

    table = Table(title="operators of the aot engine", title_justify="left", show_lines=True)
    for name in ("operator", "aot expects", "TFLM", "proved by"):
        table.add_column(name, overflow="fold")
    for entry in operators():
        expects = "\n".join(entry.expects)
        table.add_row(entry.operator, escape(expects), ", ".join(entry.tflm) or "no", entry.judge)
    return Group(table, f"only the tflm engine runs these with integers: {', '.join(elsewhere())}")


def _entry(name: str) -> OperatorEntry:
    module = typing.cast(ops.OpModule, importlib.import_module(f"edgekit.engine.ops.{name.lower()}"))
    said = ((check.__doc__ or check.__name__).strip().splitlines()[0].rstrip(".") for check in module.CHECKS)
    tflm = tuple(dtype for dtype in tflm_operators.TYPES.get(name, ()) if dtype in _INTEGERS)
    return OperatorEntry(name, tuple(dict.fromkeys(said)), tflm, _litert(name, tflm), "TFLM" if tflm else "LiteRT")


def _litert(name: str, tflm: tuple[str, ...]) -> str:
    if name in known_differences.LITERT_LACKS:
        return "has no integer form"
    if not tflm:
        return "is the judge"
    listed = [difference for difference in known_differences.DIFFERENCES if difference.operator == name]
    causes: dict[str, list[str]] = {}
    for difference in listed:
        step = "differs" if difference.largest_step is None else f"{difference.largest_step} step"
        causes.setdefault(difference.cause, []).append(f"{difference.dtype}: {step}")
    return "; ".join(f"{', '.join(steps)} ({cause})" for cause, steps in causes.items()) or "equal"
