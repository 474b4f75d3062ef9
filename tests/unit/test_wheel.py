"""What `pip install` brings is enough: a model becomes firmware with the checkout out of sight."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import sysconfig
import zipfile
from dataclasses import dataclass
from pathlib import Path

import pytest

pytestmark = pytest.mark.slow


@dataclass(frozen=True)
class Installed:
    """An environment of its own: the wheel, and this environment's dependencies."""

    wheel: Path
    python: Path
    edgekit: Path


def _run(*command: str | Path, cwd: Path, **variables: str) -> str:
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
    answer = subprocess.run(
        [str(part) for part in command],
        cwd=cwd,
        env={**environment, **variables},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=500,
        check=False,
    )
    assert answer.returncode == 0, f"{command}:\n{answer.stdout}\n{answer.stderr}"
    return answer.stdout


@pytest.fixture(scope="module")
def installed(repository: Path, tmp_path_factory: pytest.TempPathFactory) -> Installed:
    folder = tmp_path_factory.mktemp("wheel")
    pip = (sys.executable, "-m", "pip", "--disable-pip-version-check")
    _run(*pip, "wheel", "-q", "--no-deps", "--no-build-isolation", "-w", folder, repository, cwd=folder)
    (wheel,) = folder.glob("edgekit-*.whl")
    _run(sys.executable, "-m", "venv", "--without-pip", folder / "venv", cwd=folder)
    python = folder / "venv" / "bin" / "python"
    # A plain path in a .pth file: the dependencies are seen, but not the .pth of this environment's own EdgeKit.
    site = Path(_run(python, "-c", "import sysconfig; print(sysconfig.get_path('purelib'))", cwd=folder).strip())
    (site / "dependencies.pth").write_text(sysconfig.get_path("purelib") + "\n")
    _run(*pip, "--python", python, "install", "-q", "--no-deps", "--force-reinstall", wheel, cwd=folder)
    return Installed(wheel, python, python.parent / "edgekit")


def test_the_wheel_holds_the_package_and_its_firmware_and_nothing_else(installed: Installed) -> None:
    names = zipfile.ZipFile(installed.wheel).namelist()
    for needed in (
        "edgekit/targets/esp32.toml",
        "edgekit/system-packages.txt",
        "edgekit/py.typed",
        "edgekit/_firmware/engine/conv_2d_s8.h",
        "edgekit/_firmware/harness/port.h",
    ):
        assert needed in names
    assert {name.split("/")[0].split("-")[0] for name in names} == {"edgekit"}
    assert not [name for name in names if name.endswith((".pyc", ".o", ".elf"))]


def test_every_target_file_and_port_is_in_the_wheel(installed: Installed, repository: Path) -> None:
    names = set(zipfile.ZipFile(installed.wheel).namelist())
    package = {f"edgekit/targets/{path.name}" for path in (repository / "edgekit" / "targets").glob("*.toml")}
    ports = {
        f"edgekit/_firmware/{path.relative_to(repository / 'firmware').as_posix()}"
        for path in (repository / "firmware" / "ports").rglob("*")
        if path.is_file()
    }
    assert package | ports <= names


def test_the_checkout_is_out_of_sight(installed: Installed, repository: Path, tmp_path: Path) -> None:
    code = "import sys, edgekit; print(edgekit.__file__); print(*sys.path, sep='\\n')"
    where, *path = _run(installed.python, "-c", code, cwd=tmp_path).splitlines()
    assert Path(where).is_relative_to(installed.python.parent.parent)
    assert str(repository) not in path


def test_a_model_becomes_firmware_from_the_wheel_alone(installed: Installed, repository: Path, tmp_path: Path) -> None:
    shutil.copytree(repository / "models" / "digits", tmp_path / "digits", ignore=shutil.ignore_patterns("*.py"))
    command = (installed.edgekit, "build", "digits", "--target", "esp32", "--recipe", "none", "--out", "out", "--json")
    report = json.loads(_run(*command, cwd=tmp_path, EDGEKIT_CACHE=str(tmp_path / "cache")))
    artifacts = report["artifacts"]
    assert artifacts["images"]
    named = [artifacts[kind] for kind in ("tflite", "c_array", "c_source", "elf")]
    for name in [*named, *(image["path"] for image in artifacts["images"])]:
        assert (tmp_path / "out" / name).stat().st_size > 0
    assert (tmp_path / "out" / artifacts["elf"]).read_bytes().startswith(b"\x7fELF")
    assert report["metrics"]["int8"] > 0.95
    assert str(repository) not in (tmp_path / "out" / "report.json").read_text(encoding="utf-8")
