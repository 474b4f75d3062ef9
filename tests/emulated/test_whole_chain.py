"""From the model to the measurement, as a user runs it: every model on every target, every output byte compared."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path

import pytest

from edgekit import targets
from edgekit.bench import BenchOptions, bench
from edgekit.build import BuildOptions
from edgekit.errors import DoesNotFitError
from edgekit.report.check import check as check_model
from edgekit.report.types import BenchReport

pytestmark = pytest.mark.emulated

TARGETS = targets.names()
# Each set of kernels on one core; the other cores run the same with smaller models.
CORES = ("cortex-m4", "cortex-m55", "esp32", "esp32c3", "host")
# (model of models/, target whose flash it does not fit)
TOO_LARGE = {("tiny-mobilenet", "cortex-m0")}


@dataclass(frozen=True, slots=True)
class Reference:
    """A reference model: inputs on the emulated cores, live-tensor peak + 2 KiB, most instructions on a Cortex-M4."""

    name: str
    inputs: int
    arena_bytes: int
    instructions: float


REFERENCES = (
    Reference("image_classification", 2, 49_152 + 2048, 107.4e6),
    Reference("visual_wake_words", 2, 55_296 + 2048, 100.3e6),
    Reference("keyword_spotting", 10, 16_000 + 2048, 43.0e6),
    Reference("anomaly_detection", 10, 768 + 2048, 1.95e6),
)


def require_tools(target: str) -> None:
    """Skip where the emulator is not installed; a missing compiler is the build's own error."""
    emulator = targets.load(target).emulator
    assert emulator is not None
    if shutil.which(emulator.command) is None:
        pytest.skip(f"{emulator.command} is not installed: apt-get install {emulator.package}")


def check(report: BenchReport, runs: int) -> None:
    """Hold what every bench run promises."""
    assert report.match
    assert report.compared == report.runs == runs
    assert report.ram.stack_peak_bytes is not None
    assert report.ram.stack_peak_bytes > 0
    assert report.ram.total_bytes is not None
    assert report.ram.total_bytes <= report.ram.available_bytes
    assert report.flash.total_bytes <= report.flash.available_bytes


@pytest.mark.parametrize("target", CORES)
@pytest.mark.parametrize("reference", REFERENCES, ids=lambda reference: reference.name)
def test_reference_models_give_the_host_s_bytes(
    reference: Reference, target: str, shared_models: Path, tmp_path: Path
) -> None:
    require_tools(target)
    runs = reference.inputs if target != "host" else 10
    model = shared_models / f"{reference.name}_int8.tflite"
    # The bounds on instructions are those of the kernels, for the work of the model as it came.
    build = BuildOptions(shrink=target != "cortex-m4")
    report = bench(model, target, options=BenchOptions(runs=runs, out=tmp_path / "out", build=build))
    check(report, runs)
    assert report.ram.arena_bytes <= reference.arena_bytes
    if target == "host":
        assert report.to_json()["latency_us"]["min"] > 0
        return
    assert report.to_json()["latency_us"] is None
    assert report.unit == "instructions"
    if target == "cortex-m4":
        assert report.per_run.median <= reference.instructions


@pytest.mark.parametrize("target", [name for name in TARGETS if name != "host"])
@pytest.mark.parametrize("name", ["digits", "vibration"])
def test_the_arena_that_check_tells_is_the_one_on_the_core(
    name: str, target: str, repository: Path, tmp_path: Path
) -> None:
    require_tools(target)
    model = repository / "models" / name / "model.tflite"
    told = {engine.engine: engine.arena_bytes for engine in check_model(model, target=target).engines}
    report = bench(model, target, options=BenchOptions(runs=1, out=tmp_path / "out"))
    assert told["aot"] == report.ram.arena_bytes


def options_for(name: str, runs: int, out: Path) -> BenchOptions:
    """Prune digits as its recipe says; the others are measured as they are, which saves minutes of fine-tuning."""
    return BenchOptions(runs=runs, out=out, build=BuildOptions(recipe=None if name == "digits" else "none"))


def own_pairs() -> list[tuple[str, str]]:
    """Return (model, target): three models on every set of kernels, two of them on the other cores, and what does not
    fit. The other models' bytes are compared where their instructions are counted."""
    others = [(name, target) for name in ("digits", "vibration") for target in TARGETS if target not in CORES]
    return [
        *((name, target) for name in ("digits", "keyword", "vibration") for target in CORES),
        *others,
        *sorted(TOO_LARGE),
    ]


@pytest.mark.slow
@pytest.mark.parametrize(("name", "target"), own_pairs())
def test_own_models_give_the_host_s_bytes(name: str, target: str, repository: Path, tmp_path: Path) -> None:
    require_tools(target)
    options = options_for(name, 10, tmp_path / "out")
    if (name, target) in TOO_LARGE:
        with pytest.raises(DoesNotFitError, match=f"does not fit {target}"):
            bench(repository / "models" / name, target, options=options)
        return
    report = bench(repository / "models" / name, target, options=options)
    check(report, 10)
    assert report.inputs == "test data"


@pytest.mark.slow
@pytest.mark.parametrize("target", [name for name in TARGETS if name != "host"])
def test_two_runs_give_the_same_counts(target: str, repository: Path, tmp_path: Path) -> None:
    require_tools(target)
    model = repository / "models" / "digits"
    first, second = (bench(model, target, options=options_for("digits", 3, tmp_path / "out")) for _ in range(2))
    assert first.per_run == second.per_run
    assert first.ram == second.ram
