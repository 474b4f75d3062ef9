"""`edgekit ops` and the page that is written from it."""

from __future__ import annotations

import json
from pathlib import Path

import click.testing

from edgekit.cli._root import root
from edgekit.engine import ops
from edgekit.report import operators

PAGE = Path(__file__).parents[2] / "docs" / "operators.md"


def _run(*arguments: str) -> str:
    result = click.testing.CliRunner().invoke(root, ["ops", *arguments], catch_exceptions=False)
    assert result.exit_code == 0
    return result.output


def test_the_page_is_what_the_command_prints() -> None:
    printed = _run("--markdown")
    assert PAGE.read_text(encoding="utf-8") == printed, "run `edgekit ops --markdown > docs/operators.md`"


def test_json_names_every_operator_and_what_it_expects() -> None:
    document = json.loads(_run("--json"))
    assert document["schema_version"] == 1
    assert [entry["operator"] for entry in document["operators"]] == ops.names()
    assert all(entry["expects"] for entry in document["operators"])
    assert not set(document["only_tflm"]) & set(ops.names())


def test_the_judge_is_tflm_wherever_it_has_the_operator() -> None:
    judges = {entry.operator: entry.judge for entry in operators.operators()}
    assert judges["ADD"] == "TFLM" and judges["TILE"] == "LiteRT"
    assert "is the judge" in {entry.litert for entry in operators.operators() if not entry.tflm}


def test_the_table_is_drawn() -> None:
    assert "DEPTHWISE_CONV_2D" in _run()
