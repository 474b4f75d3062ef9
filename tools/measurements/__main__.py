"""Measure models on targets with plans; write docs/measurements.md, and the counts that a change may not raise.

``python tools/measurements [CELLS ...]`` measures all cells, or those named: "esp32" or "digits,cortex-m4" names the
cells whose "model target plan" holds each of the parts. As many run at once as JOBS says (2); the other cells are taken
from build/measurements/cells.json.
"""

from __future__ import annotations

import json
import os
import sys
from concurrent.futures import ProcessPoolExecutor, as_completed
from pathlib import Path

from cells import CORES, REPOSITORY, Cell, load, measure, own_models, save, wanted
from page import page

DOCUMENT = REPOSITORY / "docs" / "measurements.md"
RECORD = REPOSITORY / "tests" / "emulated" / "instruction_counts.json"


def main(words: list[str]) -> int:
    """Measure, and write both files."""
    cells = list(wanted())
    chosen = [cell for cell in cells if not words or any(_named(cell, word) for word in words)]
    results = load()
    with ProcessPoolExecutor(int(os.environ.get("JOBS", "2"))) as pool:
        running = {pool.submit(measure, cell): cell for cell in chosen}
        for done in as_completed(running):
            cell = running[done]
            results[cell.key] = done.result()
            found = results[cell.key]
            said = found.get("reason") or f"{found['instructions']['median']:,.0f} in {found['seconds']} s"
            sys.stderr.write(f"{cell.key}: {said}\n")
            save(results)
    DOCUMENT.write_text(page(results, cells), encoding="utf-8")
    write_record(RECORD, results, cells)
    failed = [cell.key for cell in chosen if results[cell.key].get("failed")]
    if failed:
        sys.stderr.write(f"failed: {', '.join(failed)}\n")
    return 1 if failed else 0


def _named(cell: Cell, word: str) -> bool:
    return all(part in cell.key.split() or part in cell.model for part in word.split(","))


def write_record(path: Path, results: dict[str, dict], cells: list[Cell]) -> None:  # type: ignore[type-arg]
    """Write the counts of the models that every checkout has, on the cores that have kernels of their own."""
    own = [cell for cell in cells if cell.model in own_models() and cell.target in CORES]
    counted = {cell: found for cell in own if "instructions" in (found := results.get(cell.key, {}))}
    compilers = {cell.target: found["tools"]["compiler"] for cell, found in counted.items()}
    counts = {cell.key: round(found["instructions"]["median"]) for cell, found in counted.items()}
    text = json.dumps({"compilers": compilers, "instructions": counts}, indent=1, sort_keys=True)
    path.write_text(text + "\n", encoding="utf-8")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
