"""`edgekit bench --per-layer`: the layers' instructions add up to those of the inference, and are the same always."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from edgekit import targets
from edgekit.bench import BenchOptions, bench
from edgekit.build import BuildOptions
from edgekit.errors import UsageError
from edgekit.report.types import BenchReport

pytestmark = pytest.mark.emulated


def measured(model: Path, target: str, out: Path, optimize: str = "balanced") -> BenchReport:
    emulator = targets.load(target).emulator
    assert emulator is not None
    if shutil.which(emulator.command) is None:
        pytest.skip(f"{emulator.command} is not installed: apt-get install {emulator.package}")
    options = BenchOptions(runs=1, out=out, per_layer=True, build=BuildOptions(optimize=optimize))
    return bench(model, target, options=options)


@pytest.mark.parametrize("target", ["cortex-m0", "cortex-m4", "esp32", "riscv32"])
def test_layers_add_up_to_the_inference(target: str, repository: Path, tmp_path: Path) -> None:
    report = measured(repository / "models" / "digits" / "model.tflite", target, tmp_path)
    assert report.layers is not None and report.between_layers is not None
    assert [layer.kind for layer in report.layers] == [
        "CONV_2D", "MAX_POOL_2D", "CONV_2D", "MAX_POOL_2D", "FULLY_CONNECTED", "SOFTMAX"
    ]  # fmt: skip
    # Between them are the calls, and the instructions by which the compiler arranged a layer otherwise.
    assert abs(report.between_layers) < 0.005 * report.per_run.median
    assert sum(layer.share for layer in report.layers) == pytest.approx(1)
    assert sum(layer.macs for layer in report.layers) == report.model.macs
    assert sum(layer.weights_bytes_read for layer in report.layers) == report.flash_bytes_read
    assert report.to_json()["layers"][0]["instructions"] == report.layers[0].instructions


def test_layers_that_take_turns_are_summed_up(repository: Path, tmp_path: Path) -> None:
    model = repository / "models" / "keyword-small" / "model.tflite"
    first, second = (measured(model, "cortex-m4", tmp_path / "ram", "ram") for _ in range(2))
    assert first.layers is not None and first.between_layers is not None
    assert max(layer.calls for layer in first.layers) > 1, "no layer took turns"
    assert second.layers is not None
    for one, other in zip(first.layers, second.layers, strict=True):
        # The timer's ticks fall on other instructions: each reading may be off by one.
        assert abs(one.instructions - other.instructions) <= one.calls
    # A turn costs its look into the table.
    assert 0 <= first.between_layers < 100 * sum(layer.calls for layer in first.layers)


def test_a_target_that_counts_no_instructions_is_refused(repository: Path, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="emulator that counts instructions, host has none"):
        measured(repository / "models" / "digits" / "model.tflite", "host", tmp_path)
