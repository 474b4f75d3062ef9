"""docs/measurements.md and the counts that CI holds come from the same runs."""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2] / "tools" / "measurements"))
from cells import own_models


def cells(document: str) -> dict[str, int]:
    """The instructions of every line of the large table."""
    rows = re.findall(r"^\| ([\w-]+) \| ([\w-]+) \| (speed|balanced|ram|streamed) \| ([\d,]+)", document, re.MULTILINE)
    return {f"{model} {target} {plan}": int(count.replace(",", "")) for model, target, plan, count in rows}


def test_the_recorded_counts_are_those_of_the_document(repository: Path) -> None:
    document = cells((repository / "docs" / "measurements.md").read_text(encoding="utf-8"))
    record = json.loads((repository / "tests" / "emulated" / "instruction_counts.json").read_text(encoding="utf-8"))
    assert {cell.split()[0] for cell in record["instructions"]} == set(own_models())
    assert {cell.split()[1] for cell in record["instructions"]} == set(record["compilers"])
    assert {cell: document[cell] for cell in record["instructions"]} == record["instructions"]
