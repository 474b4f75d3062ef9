"""docs/measurements.md and the counts that CI holds come from the same runs."""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[2] / "tools" / "measurements"))
import compression
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


def _found(instructions: int, weights: int) -> dict[str, Any]:
    flash, ram = {"weights_bytes": weights, "kernels_bytes": 0}, {"arena_bytes": 900, "engine_bytes": 0}
    stored = {"stored_bytes": weights, "weights_alone_bytes": weights}
    return {"instructions": {"median": instructions}, "flash": flash, "ram": ram, **stored}


def test_what_small_weights_take_stands_beside_the_goal() -> None:
    """Reached, missed, and not measured: of a goal that is a share of dense, and of one that is bytes."""
    results = {
        "keyword cortex-m4 speed dense": _found(3_000_000, 50_000),
        "keyword-sparse cortex-m4 speed": _found(2_100_000, 20_000),
        "dense_1000 cortex-m4 balanced": _found(1, 239_000),
        "keyword accuracy": {"accuracy": 0.95, "samples": 100},
        "keyword-sparse accuracy": {"accuracy": 0.93, "samples": 100},
    }
    lines = compression.table(results)
    sparse = [line for line in lines if "keyword" in line and "cortex-m4, speed" in line]
    assert any("constants of dense | 50,000 | 20,000 | 0.40 | **≤ 0.45**" in line for line in sparse)
    assert any("times fewer instructions | 3,000,000 | 2,100,000 | 1.43 | ≥ 1.5: no" in line for line in sparse)
    assert any("bytes | – | 239,000 |  | **≤ 240,000**" in line for line in lines)
    assert any("keyword-sparse" in line and "95.00 | 93.00 | 2.00 | ≤ 1: no" in line for line in lines)
    assert any("esp32c3" in line and "| – | – | – | ≥ 2 |" in line for line in lines)
    assert compression.reached(results) == (3, 5)
    assert compression.reached({}) == (0, 0)
