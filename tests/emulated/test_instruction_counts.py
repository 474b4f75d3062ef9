"""No change makes a model of models/ slower by more than 1 % without saying so.

The counts are those that `make bench` wrote. They hold for the compilers that made them: with another version a cell
is skipped.
"""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from edgekit import targets, toolchains
from edgekit.bench import BenchOptions, bench
from edgekit.build import BuildOptions
from edgekit.errors import ToolMissingError

pytestmark = pytest.mark.emulated

RECORD = json.loads(Path(__file__).with_name("instruction_counts.json").read_text(encoding="utf-8"))
ALLOWED = 1.01


def require_tools(name: str) -> None:
    """Skip where the compiler or the emulator is missing, or the compiler is not the recorded one."""
    target = targets.load(name)
    assert target.emulator is not None
    if shutil.which(target.emulator.command) is None:
        pytest.skip(f"{target.emulator.command} is not installed: apt-get install {target.emulator.package}")
    try:
        compiler = toolchains.version(target.toolchain)
    except ToolMissingError as error:
        pytest.skip(error.what)
    if compiler != RECORD["compilers"][name]:
        pytest.skip(f"counts were recorded with {RECORD['compilers'][name]}, here is {compiler}")


@pytest.mark.parametrize("cell", RECORD["instructions"])
def test_a_model_takes_no_more_instructions(cell: str, repository: Path, tmp_path: Path) -> None:
    model, target, plan = cell.split()
    require_tools(target)
    options = BenchOptions(runs=1, out=tmp_path / "out", build=BuildOptions(optimize=plan))
    report = bench(repository / "models" / model / "model.tflite", target, options=options)
    assert report.match
    recorded = RECORD["instructions"][cell]
    assert report.per_run.median <= ALLOWED * recorded, (
        f"{cell}: {report.per_run.median:,.0f} instructions, recorded {recorded:,}; "
        f"if that is wanted: make bench CELLS={','.join(cell.split())}, and say why in the commit"
    )
