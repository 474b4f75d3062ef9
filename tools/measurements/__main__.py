"""Measure models on targets with plans; write docs/measurements.md, and the counts that a change may not raise.

``python tools/measurements [CELLS ...]`` measures all cells, or those named: "esp32" or "digits,cortex-m4" names the
cells whose "model target plan" holds each of the parts. As many run at once as JOBS says (2); the other cells are taken
from build/measurements/cells.json.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor, as_completed
from pathlib import Path
from typing import Any

import accuracy
import compression
import vgg16_on_host
from cells import CORES, REPOSITORY, Cell, load, measure, own_models, save, wanted
from page import page

DOCUMENT = REPOSITORY / "docs" / "measurements.md"
RECORD = REPOSITORY / "tests" / "emulated" / "instruction_counts.json"


def main(words: list[str]) -> int:
    """Measure, and write both files."""
    cells = list(wanted())
    results = load()
    chosen = [(key, work) for key, *work in _works() if not words or any(_named(key, word) for word in words)]
    with ProcessPoolExecutor(int(os.environ.get("JOBS", "2"))) as pool:
        running = {pool.submit(*work): key for key, work in chosen}
        for done in as_completed(running):
            key = running[done]
            results[key] = done.result()
            sys.stderr.write(f"{key}: {_said(results[key])}\n")
            save(results)
    DOCUMENT.write_text(page(results, cells), encoding="utf-8")
    write_record(RECORD, results, cells)
    failed = [key for key, _ in chosen if results[key].get("failed")]
    if failed:
        sys.stderr.write(f"failed: {', '.join(failed)}\n")
    return 1 if failed else 0


def _works() -> Iterator[tuple[Any, ...]]:
    """Yield the key of each result, and what is called with what to have it."""
    for cell in dict.fromkeys((*wanted(), *compression.wanted())):
        yield cell.key, measure, cell
    for model in accuracy.wanted():
        yield accuracy.key(model), accuracy.measure, model
    yield vgg16_on_host.KEY, vgg16_on_host.measure


def _named(key: str, word: str) -> bool:
    model, *others = key.split()
    return all(part in others or part in model for part in word.split(","))


def _said(found: dict[str, Any]) -> str:
    if "accuracy" in found:
        return f"{found['accuracy']:.4f} of {found['samples']:,}"
    if "equal" in found:
        return f"{found['stored_bytes']:,} B in {found['seconds']} s"
    return found.get("reason") or f"{found['instructions']['median']:,.0f} in {found['seconds']} s"


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
