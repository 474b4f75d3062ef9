"""The notebook of docs/ holds the outputs of a run, and still runs."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

_REPOSITORY = Path(__file__).resolve().parents[2]
_NOTEBOOK = _REPOSITORY / "docs" / "compress.ipynb"

nbformat = pytest.importorskip("nbformat")
pytest.importorskip("nbclient")


def test_every_cell_was_executed_in_order_without_an_error() -> None:
    notebook = nbformat.read(_NOTEBOOK, as_version=4)
    cells = [cell for cell in notebook.cells if cell.cell_type == "code"]
    assert [cell.execution_count for cell in cells] == list(range(1, len(cells) + 1))
    kinds = {output.output_type for cell in cells for output in cell.outputs}
    assert kinds == {"stream"}, "text alone: no error, and nothing that changes from run to run"
    assert "/" + "home" not in _NOTEBOOK.read_text(encoding="utf-8")


@pytest.mark.slow
def test_the_notebook_runs_to_its_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(_REPOSITORY / "tools"))
    import notebook

    ran = notebook.run(_NOTEBOOK)
    said = "".join(output.text for cell in ran.cells if cell.cell_type == "code" for output in cell.outputs)
    assert "outputs equal: True" in said and "outputs equal: False" not in said
    sys.modules.pop("notebook")
