"""`doctor` names what is there and what is not, and never fails itself."""

from __future__ import annotations

import importlib.metadata
import time
from pathlib import Path

import pytest

from edgekit import doctor, targets


def _by_name(findings: tuple[doctor.Finding, ...]) -> dict[str, doctor.Finding]:
    return {finding.name: finding for finding in findings}


def test_every_absent_thing_has_a_line_that_installs_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    findings = _by_name(doctor.examine())
    assert not findings["xtensa-lx106-elf-gcc"].present
    assert findings["xtensa-lx106-elf-gcc"].install == "sudo apt-get install gcc-xtensa-lx106"
    assert all(finding.install for finding in findings.values() if not finding.present)


def test_a_keras_below_the_floor_counts_as_absent(monkeypatch: pytest.MonkeyPatch) -> None:
    real = importlib.metadata.version
    monkeypatch.setattr(importlib.metadata, "version", lambda name: "3.14.9" if name == "keras" else real(name))
    keras = _by_name(doctor.examine())["keras"]
    assert (keras.present, keras.version) == (False, "3.14.9")
    assert "keras>=3.15.1" in keras.install


def test_a_missing_python_package_is_found_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    def none(name: str) -> str:
        raise importlib.metadata.PackageNotFoundError(name)

    monkeypatch.setattr(importlib.metadata, "version", none)
    esptool = _by_name(doctor.examine())["esptool"]
    assert (esptool.present, esptool.version, esptool.install) == (False, None, "pip install esptool")


@pytest.mark.parametrize("body", ["exit 3", "kill -9 $$"], ids=["fails", "dies"])
def test_a_program_that_does_not_run_is_not_present(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, body: str) -> None:
    broken = tmp_path / "qemu-system-arm"
    broken.write_text(f"#!/bin/sh\n{body}\n")
    broken.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    finding = _by_name(doctor.examine())["qemu-system-arm"]
    assert not finding.present
    assert "--reinstall" in finding.install


def test_a_program_that_never_answers_is_given_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doctor, "_VERSION_SECONDS", 0.2)
    silent = tmp_path / "silent"
    silent.write_text("#!/bin/sh\nexec sleep 60\n")
    silent.chmod(0o755)
    began = time.monotonic()
    assert doctor.program_version(str(silent)) is None
    assert time.monotonic() - began < 10


def test_a_modem_manager_that_runs_is_reported(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doctor, "_process_names", lambda: {"ModemManager", "init"})
    findings = _by_name(doctor.examine())
    assert not findings["no ModemManager"].present
    assert "ModemManager" in findings["no ModemManager"].install
    assert findings["no brltty"].present


def test_the_package_list_covers_every_emulator_of_every_target() -> None:
    listed = {row.probe: row.packages for row in doctor.system_packages()}
    for target in map(targets.load, targets.names()):
        if target.emulator is not None:
            assert target.emulator.package in listed[target.emulator.command], target.name
