"""On a real board: flash a model, run it, compare every byte. Opt in with --port and --target."""

from __future__ import annotations

from pathlib import Path

import pytest

from edgekit.bench import BenchOptions, bench, firmware_of, flash
from edgekit.progress import silent

pytestmark = pytest.mark.hardware


def test_flash_then_measure(repository: Path, board: str, serial_port: str, tmp_path: Path) -> None:
    model = repository / "models" / "digits" / "model.tflite"
    options = BenchOptions(out=tmp_path / "build")
    flash(firmware_of(model, board, options=options, progress=silent), serial_port, silent)
    report = bench(tmp_path / "build", board, port=serial_port, options=options)
    assert report.match and report.compared == report.runs
    assert report.clock == "hardware timer"
