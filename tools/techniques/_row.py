"""What a row of docs/techniques.md is: a claim, and the figures that a run measured for it."""

from __future__ import annotations

import argparse
import dataclasses
import json
import os
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
# Rows run side by side, and sums in another order give other weights: one thread each.
for _threads in ("TF_NUM_INTRAOP_THREADS", "TF_NUM_INTEROP_THREADS", "OMP_NUM_THREADS"):
    os.environ[_threads] = "1"

REPOSITORY = Path(__file__).resolve().parents[2]


@dataclass(frozen=True)
class Figure:
    """One measured figure.

    Attributes:
        name: what was measured, unit included.
        value: the figure.
        target: what it must reach, in words; empty where it only informs.
        reached: computed from the value; None where there is no target.
        spread: how far runs lie apart, in words; empty for counts.
    """

    name: str
    value: str | float
    target: str = ""
    reached: bool | None = None
    spread: str = ""


@dataclass(frozen=True)
class Row:
    """What one run found.

    Attributes:
        claim: the sentence that is tested.
        figures: in the order of reading.
        note: what else a reader has to know; simulated data and estimates are called so.
        table: further lines of a table, its head first; empty for none.
    """

    claim: str
    figures: tuple[Figure, ...]
    note: str = ""
    table: tuple[tuple[str, ...], ...] = ()


def at_most(name: str, value: float, limit: float, spread: str = "") -> Figure:
    """Return a figure that must not be above its limit."""
    return Figure(name, value, f"≤ {limit:,}", value <= limit, spread)


def at_least(name: str, value: float, limit: float, spread: str = "") -> Figure:
    """Return a figure that must not be below its limit."""
    return Figure(name, value, f"≥ {limit:,}", value >= limit, spread)


def mean_spread(values: list[float]) -> tuple[float, str]:
    """Return the mean of several seeds and, in words, their standard deviation and number."""
    mean = sum(values) / len(values)
    deviation = (sum((value - mean) ** 2 for value in values) / max(1, len(values) - 1)) ** 0.5
    return mean, f"± {deviation:.4f} ({len(values)} seeds)"


def main(run: Callable[[], Row]) -> None:
    """Run a row and write it as JSON, with the processor time that it took."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--out", type=Path)
    out = parser.parse_args().out
    start = time.monotonic()
    row = run()
    usage = os.times()
    seconds = {
        "wall_s": round(time.monotonic() - start),
        "processor_s": round(usage.user + usage.system + usage.children_user + usage.children_system),
    }
    facts: dict[str, Any] = dataclasses.asdict(row) | seconds
    text = json.dumps(facts, indent=1, ensure_ascii=False)
    if out is not None:
        out.parent.mkdir(parents=True, exist_ok=True)
        out.write_text(text + "\n", encoding="utf-8")
    sys.stdout.write(text + "\n")
