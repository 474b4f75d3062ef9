"""Budgets: the first plan that meets them is built, and a missed one says what every plan takes."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path

import pytest

from edgekit import cli
from edgekit.budget import Budget, Cost, missed
from edgekit.errors import BudgetMissedError

MODEL = Path(__file__).parents[2] / "models" / "digits" / "model.tflite"
SPEED, SMALL = Cost("speed", 150, 90, 100), Cost("flash", 80, 90, 300)


def test_a_bound_that_nothing_is_known_of_is_not_met() -> None:
    assert not Cost("speed", flash_bytes=1).meets(Budget(flash_bytes=1, instructions=5))
    assert Cost("speed", flash_bytes=1, instructions=5).meets(Budget(flash_bytes=1, instructions=5))
    assert not Cost("speed", flash_bytes=2, instructions=5).meets(Budget(flash_bytes=1, instructions=5))


def test_bounds_that_only_different_plans_meet_contradict_each_other() -> None:
    error = missed(Budget(flash_bytes=100, instructions=120), (SPEED, SMALL), "board", None)
    assert isinstance(error, BudgetMissedError) and error.exit_code == 1
    assert "contradict each other" in error.what
    assert "the nearest is speed: allow --max-flash 150," in error.hint


def test_a_bound_that_no_plan_meets_is_no_contradiction() -> None:
    error = missed(Budget(flash_bytes=70, instructions=120), (SPEED, SMALL), "board", None)
    assert "contradict" not in error.what
    assert "speed takes 150 B of flash" in error.what and "flash takes 80 B of flash" in error.what


def test_another_plan_that_fits_is_named() -> None:
    error = missed(Budget(flash_bytes=100), (SPEED, SMALL), "board", "speed")
    assert error.hint == "`--optimize flash` meets the budget"


def _build(target: str, folder: Path, *flags: str) -> int:
    with pytest.raises(SystemExit) as ended:
        cli.main(["build", str(MODEL), "--target", target, "--out", str(folder), "--json", *flags])
    return int(ended.value.code or 0)


@pytest.mark.emulated
def test_the_plan_follows_the_budget_and_a_missed_one_leaves_nothing(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    for tool in ("arm-none-eabi-gcc", "qemu-system-arm"):
        if shutil.which(tool) is None:
            pytest.skip(f"{tool} is not installed: apt-get install it to build and count")
    kept = tmp_path / "kept"
    assert _build("cortex-m4", kept, "--max-instructions", "1k", "--max-flash", "1MiB") == 1
    assert not kept.exists()
    counts = {plan: int(count.replace(",", "")) for plan, count in _told(capfd.readouterr().out)}
    assert set(counts) == {"balanced", "speed", "flash", "ram"} and counts["speed"] < counts["balanced"]
    between = str((counts["speed"] + counts["balanced"]) // 2)
    assert _build("cortex-m4", kept, "--max-instructions", between) == 0
    report = json.loads(capfd.readouterr().out)
    assert report["optimize"] == "speed"
    assert any(f"--max-instructions {int(between):,}" in note for note in report["notes"])
    assert _build("cortex-m4", kept, "--max-instructions", between, "--optimize", "balanced") == 1
    assert "--optimize speed" in capfd.readouterr().out
    assert json.loads((kept / "report.json").read_text())["optimize"] == "speed"


def _told(text: str) -> list[tuple[str, str]]:
    return re.findall(r"(\w+) takes [\d,]+ B of flash, an arena of [\d,]+ B, ([\d,]+) instructions", text)


def test_a_core_without_emulator_cannot_be_counted(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    assert _build("host", tmp_path, "--max-instructions", "5M") == 2
    assert "expected a target whose core is emulated" in capfd.readouterr().out
