"""Doctests of the package: every module is collected but those that would load TensorFlow into this process."""

from __future__ import annotations

import ast
from pathlib import Path

_PACKAGE = Path(__file__).resolve().parent / "edgekit"
_HEAVY = {"tensorflow", "keras", "tflite_micro"}


def _imports_heavy(path: Path) -> bool:
    for node in ast.parse(path.read_text(encoding="utf-8")).body:
        if isinstance(node, ast.Import) and {alias.name.split(".")[0] for alias in node.names} & _HEAVY:
            return True
        if isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] in _HEAVY:
            return True
    return False


# They run in a child process of their own; tests marked slow cover them.
collect_ignore = [str(path) for path in _PACKAGE.rglob("*.py") if _imports_heavy(path)]
