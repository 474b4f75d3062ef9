"""A build's promises, held with a toolchain in memory: what is left, what is kept, what a failure spares."""

from __future__ import annotations

import dataclasses
import hashlib
import json
from pathlib import Path

import numpy as np
import pytest
from tiny_models import dense_int8

from edgekit import build_folder, host_engine, toolchains
from edgekit.build import BuildOptions, build
from edgekit.engine.types import Sources
from edgekit.errors import DoesNotFitError, ToolchainError, ToolMissingError, UnknownNameError, UsageError
from edgekit.targets import Target
from edgekit.tflite.shrink import Answer, chain
from edgekit.toolchains import Firmware


@dataclasses.dataclass
class FakeToolchain:
    """Writes what a linker would, and counts; `failure` is raised instead."""

    static_bytes: int = 100
    calls: int = 0
    failure: Exception | None = None

    def compile(self, sources: Sources, target: Target, out: Path) -> Firmware:
        self.calls += 1
        if self.failure is not None:
            raise self.failure
        (out / "firmware.elf").write_bytes(b"\x7fELF" + sources.model_sha256.encode())
        (out / "firmware.bin").write_bytes(b"image")
        return Firmware(
            elf=out / "firmware.elf",
            emulated_elf=out / "firmware.elf",
            images=((0x1000, out / "firmware.bin"),),
            weights_bytes=sources.weights_bytes,
            kernels_bytes=500,
            application_bytes=2000,
            static_bytes=self.static_bytes,
            stack_reserved_bytes=4096,
            arena_bytes=sources.arena_bytes,
            target=target,
            engine=sources.engine,
            model_sha256=sources.model_sha256,
            compiler="fake-gcc 1.0",
        )


@pytest.fixture
def toolchain(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> FakeToolchain:
    """A toolchain in memory, and an empty cache."""
    fake = FakeToolchain()
    monkeypatch.setattr(toolchains, "load", lambda name: fake)
    monkeypatch.setattr(toolchains, "version", lambda name: "fake-gcc 1.0")
    monkeypatch.setenv("EDGEKIT_CACHE", str(tmp_path / "cache"))
    # Shrinking is judged for real in test_shrink.py; here its judges would cost seconds a build.
    monkeypatch.setattr(chain, "interpreter_engines", lambda phone: {"judge": lambda model, inputs: Answer((), "1")})
    monkeypatch.setattr(host_engine, "run", lambda model, inputs, progress: Answer((), "1"))
    return fake


@pytest.fixture
def model(tmp_path: Path) -> Path:
    """A tiny full-integer model."""
    path = tmp_path / "My net; 2.tflite"
    path.write_bytes(dense_int8(weights=np.arange(-3, 3).reshape(2, 3), bias=np.array([1, -1]), output_scale=0.1))
    return path


def contents(folder: Path) -> dict[str, bytes]:
    """Return name -> bytes of all files below a folder."""
    return {str(path.relative_to(folder)): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


def test_leaves_what_is_promised(toolchain: FakeToolchain, model: Path, tmp_path: Path) -> None:
    report = build(model, "cortex-m4", out=tmp_path / "out")
    stem = "my_net_2"
    names = {".tflite", ".c", ".h", "_data.cc", "_data.h", "_ops.h", "_arena.h"}
    expected = {f"{stem}{name}" for name in names} | {"firmware.elf", "firmware.bin", "golden.npz", "report.json"}
    expected |= {"ek_model.h"}
    assert set(contents(tmp_path / "out")) == expected
    assert report.model.macs == 6
    assert report.proof.inputs == "random inputs"
    golden = np.load(tmp_path / "out" / "golden.npz")
    assert golden["inputs"].shape == (16, 3)
    assert golden["outputs"].shape == (16, 2)


def test_without_shrinking_the_model_stays_as_it_came(toolchain: FakeToolchain, model: Path, tmp_path: Path) -> None:
    report = build(model, "cortex-m4", out=tmp_path / "out", options=BuildOptions(shrink=False))
    assert report.shrink is None
    assert (tmp_path / "out" / "my_net_2.tflite").read_bytes() == model.read_bytes()


def test_report_has_the_fixed_fields_and_true_hashes(toolchain: FakeToolchain, model: Path, tmp_path: Path) -> None:
    build(model, "esp32", out=tmp_path / "out")
    report = json.loads((tmp_path / "out" / "report.json").read_text())
    assert report["schema_version"] == 1
    assert set(report["model"]) == {"name", "sha256", "macs"}
    ram = {"arena_bytes", "engine_bytes", "stack_peak_bytes", "static_bytes", "total_bytes", "available_bytes"}
    assert ram <= set(report["ram"])
    assert report["ram"]["stack_peak_bytes"] is None
    assert report["ram"]["total_bytes"] is None
    flash = {"weights_bytes", "kernels_bytes", "application_bytes", "total_bytes", "available_bytes"}
    assert flash == set(report["flash"])
    assert {"tflite", "c_array", "c_source", "elf", "images"} <= set(report["artifacts"])
    assert report["artifacts"]["images"] == [{"address": 0x1000, "path": "firmware.bin"}]
    built = (tmp_path / "out" / "my_net_2.tflite").read_bytes()
    assert report["model"]["sha256"] == hashlib.sha256(built).hexdigest() == report["shrink"]["sha256_after"]
    assert report["shrink"]["sha256_before"] == hashlib.sha256(model.read_bytes()).hexdigest()
    assert report["shrink"]["bytes_after"] == len(built) < len(model.read_bytes())
    for name, digest in report["artifacts"]["sha256"].items():
        assert hashlib.sha256((tmp_path / "out" / name).read_bytes()).hexdigest() == digest
    assert str(tmp_path) not in (tmp_path / "out" / "report.json").read_text()


def test_same_input_same_bytes(toolchain: FakeToolchain, model: Path, tmp_path: Path) -> None:
    build(model, "host", out=tmp_path / "a", options=BuildOptions(cached=False))
    build(model, "host", out=tmp_path / "b", options=BuildOptions(cached=False))
    assert contents(tmp_path / "a") == contents(tmp_path / "b")
    assert toolchain.calls == 2


def test_unchanged_build_computes_nothing(toolchain: FakeToolchain, model: Path, tmp_path: Path) -> None:
    first = build(model, "host", out=tmp_path / "out")
    dates = {path: path.stat().st_mtime_ns for path in (tmp_path / "out").iterdir()}
    assert build(model, "host", out=tmp_path / "out") == first
    assert toolchain.calls == 1
    assert {path: path.stat().st_mtime_ns for path in (tmp_path / "out").iterdir()} == dates


def test_changed_model_is_built_anew(toolchain: FakeToolchain, model: Path, tmp_path: Path) -> None:
    first = build(model, "host", out=tmp_path / "out")
    model.write_bytes(dense_int8(weights=np.ones((2, 3)), bias=np.zeros(2), output_scale=0.1))
    second = build(model, "host", out=tmp_path / "out")
    assert first.model.sha256 != second.model.sha256
    assert toolchain.calls == 2


@pytest.mark.parametrize(
    "failure",
    [ToolMissingError("fake-gcc", package="gcc-fake"), ToolchainError("fake-gcc: it broke", hint="mend it")],
)
def test_failing_compiler_spares_the_old_outputs(
    toolchain: FakeToolchain, model: Path, tmp_path: Path, failure: ToolchainError
) -> None:
    build(model, "host", out=tmp_path / "out")
    before = contents(tmp_path / "out")
    model.write_bytes(dense_int8(weights=np.ones((2, 3)), bias=np.zeros(2), output_scale=0.1))
    toolchain.failure = failure
    with pytest.raises(ToolchainError):
        build(model, "host", out=tmp_path / "out")
    assert contents(tmp_path / "out") == before


def test_full_disk_spares_the_old_outputs(
    toolchain: FakeToolchain, model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    build(model, "host", out=tmp_path / "out")
    before = contents(tmp_path / "out")
    model.write_bytes(dense_int8(weights=np.ones((2, 3)), bias=np.zeros(2), output_scale=0.1))

    def full(path: Path, content: bytes) -> None:
        if path.suffix == ".h":
            raise OSError(28, "No space left on device", str(path))
        path.write_bytes(content)

    monkeypatch.setattr(build_folder, "write_atomically", full)
    with pytest.raises(OSError, match="No space"):
        build(model, "host", out=tmp_path / "out")
    assert contents(tmp_path / "out") == before


def test_arena_too_big_is_refused_before_compiling(
    toolchain: FakeToolchain, model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    small(monkeypatch, ram_bytes=1024)
    with pytest.raises(DoesNotFitError) as caught:
        build(model, "cortex-m4", out=tmp_path / "out")
    assert toolchain.calls == 0
    assert "RAM" in caught.value.what
    assert "available 1,024 B" in caught.value.what
    assert "input 3 B" in caught.value.what
    assert not (tmp_path / "out").exists()


def test_weights_too_big_are_refused_before_compiling(
    toolchain: FakeToolchain, model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    small(monkeypatch, flash_bytes=5)
    with pytest.raises(DoesNotFitError, match=r"flash needed .* available 5 B; largest tensors: .*weights 6 B"):
        build(model, "cortex-m4", out=tmp_path / "out")
    assert toolchain.calls == 0


def test_linked_firmware_too_big_names_the_tensors(toolchain: FakeToolchain, model: Path, tmp_path: Path) -> None:
    toolchain.static_bytes = 300_000
    with pytest.raises(DoesNotFitError, match=r"RAM needed 30\d,\d{3} B, available 262,144 B; .*input 3 B"):
        build(model, "cortex-m4", out=tmp_path / "out")


def test_overflow_found_by_the_linker_names_the_tensors(toolchain: FakeToolchain, model: Path, tmp_path: Path) -> None:
    toolchain.failure = DoesNotFitError(
        "flash", needed_bytes=2_000_000, available_bytes=1_048_576, largest=(), target="cortex-m4"
    )
    with pytest.raises(DoesNotFitError, match=r"flash needed 2,000,000 B.*weights 6 B"):
        build(model, "cortex-m4", out=tmp_path / "out")


def test_tflm_without_a_tree_leaves_the_sources(toolchain: FakeToolchain, model: Path, tmp_path: Path) -> None:
    toolchain.failure = ToolchainError("no TFLM tree", hint="export the project")
    with pytest.raises(ToolchainError) as caught:
        build(model, "host", out=tmp_path / "out", options=BuildOptions(engine="tflm"))
    assert "sources" in caught.value.hint
    assert (tmp_path / "out" / "my_net_2_data.cc").is_file()
    assert not (tmp_path / "out" / "firmware.elf").exists()


def test_compressing_a_flatbuffer_is_said_to_be_impossible(
    toolchain: FakeToolchain, model: Path, tmp_path: Path
) -> None:
    report = build(model, "host", out=tmp_path / "out", options=BuildOptions(sparsity=0.5))
    assert "cannot be compressed" in report.notes[0]
    assert report.compression == ()


def test_data_by_its_file_name(toolchain: FakeToolchain, model: Path, tmp_path: Path) -> None:
    np.savez(tmp_path / "x.npz", x=np.linspace(-9, 9, 30, dtype=np.float32).reshape(10, 3))
    for data in (tmp_path / "x.npz", str(tmp_path / "x.npz")):
        report = build(model, "host", out=tmp_path / "out", options=BuildOptions(data=data))
        assert report.proof.inputs == "training data"
        assert report.proof.samples == 10


def test_wrong_options(toolchain: FakeToolchain, model: Path, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="both given"):
        build(model, "host", options=BuildOptions(recipe="small", sparsity=0.5))
    with pytest.raises(UsageError, match="sparsity"):
        build(model, "host", options=BuildOptions(sparsity=1.5))
    with pytest.raises(UnknownNameError):
        build(model, "host", options=BuildOptions(engine="atm"))
    with pytest.raises(UsageError, match="is a file"):
        build(model, "host", out=model)


def small(monkeypatch: pytest.MonkeyPatch, **limits: int) -> None:
    """Make every target that is loaded smaller."""
    from edgekit import targets

    load = targets.load
    monkeypatch.setattr(targets, "load", lambda name: dataclasses.replace(load(name), **limits))
