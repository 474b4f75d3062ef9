"""Run docs/compress.ipynb from the repository's root and keep what it prints in the file.

Only text that the cells print is kept: no times of day, no machine's paths, no counters that change from run to run.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

import nbformat
from nbclient import NotebookClient

REPOSITORY = Path(__file__).resolve().parent.parent
NOTEBOOK = REPOSITORY / "docs" / "compress.ipynb"


def run(path: Path) -> nbformat.NotebookNode:
    """Execute a notebook; a cell that fails raises, with the cell's own words."""
    # The kernel finds this environment's Python and the package of this checkout.
    os.environ["PYTHONPATH"] = str(REPOSITORY)
    notebook = nbformat.read(path, as_version=4)
    NotebookClient(
        notebook, timeout=900, kernel_name="python3", resources={"metadata": {"path": str(REPOSITORY)}}
    ).execute()
    for cell in notebook.cells:
        cell.metadata.pop("execution", None)
        if cell.cell_type == "code":
            cell.outputs = [output for output in cell.outputs if output.get("name") != "stderr"]
    notebook.metadata.language_info = {"name": "python"}
    return notebook


def main() -> None:
    """Execute and write in place."""
    nbformat.write(run(NOTEBOOK), NOTEBOOK)
    sys.stdout.write(f"{NOTEBOOK.relative_to(REPOSITORY)}: executed\n")


if __name__ == "__main__":
    main()
