"""Benching: the folder is checked first, nothing is reported that was not measured."""

from __future__ import annotations

import json
import shutil
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tiny_models import dense_int8

from edgekit.bench import BenchOptions, bench, firmware_of, flash
from edgekit.build import build
from edgekit.errors import PortError, UnknownNameError, UntrustworthyError, UsageError
from edgekit.harness.measure import Measurement
from edgekit.report.types import BenchReport


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A real build of a tiny model for this computer."""
    folder = tmp_path_factory.mktemp("bench")
    model = folder / "tiny.tflite"
    model.write_bytes(dense_int8(weights=np.arange(-3, 3).reshape(2, 3), bias=np.array([1, -1]), output_scale=0.1))
    build(model, "host", out=folder / "out")
    return folder / "out"


@pytest.fixture
def copied(built: Path, tmp_path: Path) -> Path:
    """A copy that a test may damage."""
    return Path(shutil.copytree(built, tmp_path / "out"))


def measured(monkeypatch: pytest.MonkeyPatch, **changes: Any) -> list[tuple[bytes, ...]]:
    """Put a measurement in place of a device; returns the list that the inputs land in."""
    seen: list[tuple[bytes, ...]] = []

    class NoLink:
        def __enter__(self) -> NoLink:
            return self

        def __exit__(self, *rest: object) -> None:
            pass

    def measure(link: Any, firmware: Any, inputs: Any, expected: Any, progress: Any) -> Measurement:
        seen.append(inputs)
        values: dict[str, Any] = {
            "target": firmware.target.name,
            "engine": firmware.engine,
            "model_sha256": firmware.model_sha256,
            "clock": "instructions, emulated",
            "per_run": tuple(float(100 + index) for index in range(len(inputs))),
            "arena_bytes": firmware.arena_bytes,
            "engine_bytes": 0,
            "stack_peak_bytes": 700,
            "outputs_compared": len(inputs),
            "outputs_match": True,
            "link": "a fake",
            "emulator": "QEMU 7.2",
        }
        return Measurement(**(values | changes))

    monkeypatch.setattr(sys.modules["edgekit.bench"], "measure", measure)
    monkeypatch.setattr(sys.modules["edgekit.bench"], "open_link", lambda firmware, port: NoLink())
    return seen


def test_counts_are_never_a_time(built: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    measured(monkeypatch)
    document = bench(built).to_json()
    assert document["clock"] == "instructions, emulated"
    assert document["instructions"] == {"median": 104.5, "min": 100.0, "max": 109.0}
    assert document["latency_us"] is None
    assert document["cycles"] is None
    assert "latency" not in drawn(bench(built))
    assert "µs" not in drawn(bench(built))


def test_a_clock_is_a_time(built: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    measured(monkeypatch, clock="hardware timer", emulator=None)
    report = bench(built)
    assert report.to_json()["latency_us"]["median"] == 104.5
    assert report.to_json()["instructions"] is None
    assert "µs" in drawn(report)


def test_unmeasured_stack_leaves_the_total_open(built: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    measured(monkeypatch, stack_peak_bytes=None)
    ram = bench(built).to_json()["ram"]
    assert ram["stack_peak_bytes"] is None
    assert ram["total_bytes"] is None


def test_total_is_the_sum(built: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    measured(monkeypatch)
    ram = bench(built).to_json()["ram"]
    assert ram["total_bytes"] == ram["static_bytes"] + ram["arena_bytes"] + ram["engine_bytes"] + 700


def test_golden_inputs_are_repeated_for_more_runs(built: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    seen = measured(monkeypatch)
    assert bench(built, options=BenchOptions(runs=20)).runs == 20
    assert seen[0][16:] == seen[0][:4]


@pytest.mark.parametrize("name", ["firmware.elf", "golden.npz", "tiny.c"])
def test_changed_file_is_refused(copied: Path, name: str) -> None:
    (copied / name).write_bytes((copied / name).read_bytes() + b"x")
    with pytest.raises(UntrustworthyError, match=name):
        bench(copied)


def test_missing_file_is_refused(copied: Path) -> None:
    (copied / "firmware.elf").unlink()
    with pytest.raises(UntrustworthyError, match="missing"):
        bench(copied)


@pytest.mark.parametrize("text", ["", "{}", "[]", "not json"])
def test_damaged_report_is_refused(copied: Path, text: str) -> None:
    (copied / "report.json").write_text(text)
    with pytest.raises(UsageError, match=r"report\.json"):
        bench(copied)


def test_folder_of_another_target(built: Path) -> None:
    with pytest.raises(UsageError, match="was built for host, not for esp32"):
        bench(built, "esp32")
    with pytest.raises(UnknownNameError):
        bench(built, "esp23")


def test_report_with_a_path_outside_is_refused(copied: Path) -> None:
    report = json.loads((copied / "report.json").read_text())
    report["artifacts"]["elf"] = "../../../bin/sh"
    (copied / "report.json").write_text(json.dumps(report))
    with pytest.raises(UsageError, match=r"report\.json"):
        bench(copied)


def test_wrong_number_of_runs(built: Path) -> None:
    with pytest.raises(UsageError, match="expected at least 1"):
        bench(built, options=BenchOptions(runs=0))


def test_flashing_what_cannot_be_flashed(built: Path) -> None:
    with pytest.raises(UsageError, match="has no flasher"):
        flash(firmware_of(built, None), "/dev/ttyUSB0")


def test_absent_port(built: Path) -> None:
    with pytest.raises(PortError):
        bench(built, port="/dev/ttyABSENT9")


def drawn(report: BenchReport) -> str:
    """Return the table as text."""
    from rich.console import Console

    from edgekit.report import table

    console = Console(width=120)
    with console.capture() as capture:
        console.print(table.bench_table(report))
    return capture.get()
