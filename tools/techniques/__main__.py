"""Run every row of docs/techniques.md, two at a time, and write the document from what they measured.

``python tools/techniques [ROW ...]`` runs the rows named, or all; each is a file beside this one, a process of one
thread, and leaves build/techniques/<row>.json. The document holds what these files say and nothing else.
"""

from __future__ import annotations

import ast
import inspect
import json
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).resolve().parent
REPOSITORY = FOLDER.parents[1]
RESULTS = REPOSITORY / "build" / "techniques"
DOCUMENT = REPOSITORY / "docs" / "techniques.md"
AT_ONCE = 2
LIMIT_S = 3600

HEAD = """# What the techniques cost and gain

Written by `make techniques`; every figure comes from a run of the file named above its table (two at a time, one
thread each, seeds fixed). Accuracies stand on 3,000 test samples and more; where several seeds were run, with their
standard deviation.
"""


def rows() -> list[str]:
    """Return the names of all rows, those that last long first, so that both cores end together."""
    names = sorted(path.stem for path in FOLDER.glob("*.py") if not path.stem.startswith("_"))
    return sorted(names, key=lambda name: -(_result(name) or {}).get("wall_s", 0))


def run(name: str) -> bool:
    """Run one row; its old result goes first, so that a failure leaves none."""
    out = RESULTS / f"{name}.json"
    out.unlink(missing_ok=True)
    start = time.monotonic()
    log = RESULTS / f"{name}.log"
    with log.open("wb") as file:
        command = [sys.executable, str(FOLDER / f"{name}.py"), "--out", str(out)]
        ended = subprocess.run(command, stdout=file, stderr=subprocess.STDOUT, cwd=REPOSITORY, timeout=LIMIT_S)
    said = "done" if ended.returncode == 0 else f"failed, see {log.relative_to(REPOSITORY)}"
    sys.stdout.write(f"{name}: {said}, {time.monotonic() - start:.0f} s\n")
    sys.stdout.flush()
    return ended.returncode == 0


def document() -> str:
    """Compose the document of the results that are there; a row without one says so."""
    parts = [HEAD, *_guide()]
    for name in sorted(rows()):
        result = _result(name)
        if result is None:
            parts.append(f"## {name}\n\nNot run: `python tools/techniques {name}`.\n")
        else:
            parts.append("\n".join(_section(name, result)))
    return "\n".join(parts)


def _result(name: str) -> dict[str, Any] | None:
    path = RESULTS / f"{name}.json"
    return json.loads(path.read_text(encoding="utf-8")) if path.is_file() else None


def _section(name: str, result: dict[str, Any]) -> Iterator[str]:
    claim = result["claim"]
    yield f"## {claim[0].upper()}{claim[1:]}\n"
    yield f"`tools/techniques/{name}.py`, {result['wall_s']:,} s\n"
    if result["figures"]:
        lines = [("measured", "figure", "to reach", "reached")]
        lines += [
            (
                figure["name"],
                f"{_number(figure['value'])} {figure['spread']}".strip(),
                figure["target"],
                {None: "", True: "yes", False: "**no**"}[figure["reached"]],
            )
            for figure in result["figures"]
        ]
        yield _table(lines)
    if result["table"]:
        yield _table(result["table"])
    if result["note"]:
        yield result["note"] + "\n"


def _number(value: str | float) -> str:
    if isinstance(value, str):
        return value
    return f"{value:,}" if isinstance(value, int) else f"{value:,.4g}" if abs(value) < 100 else f"{value:,.1f}"


def _table(lines: Sequence[Sequence[str]]) -> str:
    head, *body = lines
    rule = ["---"] * len(head)
    return "\n".join("| " + " | ".join(line) + " |" for line in (head, rule, *body)) + "\n"


def _guide() -> Iterator[str]:
    """When to use which technique, as its own class says."""
    yield "## When to use which\n"
    lines = [("technique", "what it does", "when to use it")]
    for path in sorted((REPOSITORY / "edgekit" / "compress").glob("*.py")):
        if path.stem.startswith("_"):
            continue
        tree = ast.parse(path.read_text(encoding="utf-8"))
        own = "".join(word.capitalize() for word in path.stem.split("_"))
        for node in tree.body:
            if isinstance(node, ast.ClassDef) and node.name == own:
                lines.append((f"`{path.stem}`", *_said(inspect.cleandoc(ast.get_docstring(node) or ""))))
    yield _table(lines)


def _said(docstring: str) -> tuple[str, str]:
    """Return the first sentence of a docstring and its section "When to use"."""
    first = docstring.split("\n\n")[0].replace("\n", " ")
    _, found, rest = docstring.partition("When to use:\n")
    section = rest.split("\n\n")[0] if found else ""
    return first, " ".join(section.split())


def main() -> None:
    """Run what was asked for, write the document, and fail where a row failed."""
    RESULTS.mkdir(parents=True, exist_ok=True)
    asked = sys.argv[1:] or rows()
    unknown = sorted(set(asked) - set(rows()))
    if unknown:
        sys.exit(f"no row {unknown[0]!r}; rows: {', '.join(sorted(rows()))}")
    start = time.monotonic()
    with ThreadPoolExecutor(AT_ONCE) as pool:
        fine = list(pool.map(run, asked))
    DOCUMENT.write_text(document(), encoding="utf-8")
    sys.stdout.write(f"{DOCUMENT.relative_to(REPOSITORY)}: {len(asked)} rows, {time.monotonic() - start:.0f} s\n")
    if not all(fine):
        sys.exit(1)


if __name__ == "__main__":
    main()
