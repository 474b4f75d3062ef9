"""[tool.edgekit] and edgekit.toml: found from below, strict, relative to their own folder."""

from __future__ import annotations

from pathlib import Path

import pytest

from edgekit.errors import UnknownNameError, UsageError
from edgekit.settings import Settings, find


def test_pyproject_is_found_from_a_folder_below(tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_text(
        '[tool.edgekit]\nmodel = "nets/a.keras"\ntarget = "host"\nsparsity = 0.5\n'
    )
    below = tmp_path / "src" / "deep"
    below.mkdir(parents=True)
    settings = find(below)
    assert (settings.model, settings.target, settings.sparsity) == ("nets/a.keras", "host", 0.5)
    assert settings.path("nets/a.keras") == tmp_path / "nets" / "a.keras"


def test_own_file_wins_over_pyproject_beside_it(tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_text('[tool.edgekit]\ntarget = "host"\n')
    (tmp_path / "edgekit.toml").write_text('target = "esp32"\n')
    assert find(tmp_path).target == "esp32"


def test_pyproject_without_our_table_is_passed_by(tmp_path: Path) -> None:
    (tmp_path / "edgekit.toml").write_text('target = "esp32"\n')
    inner = tmp_path / "package"
    inner.mkdir()
    (inner / "pyproject.toml").write_text("[project]\nname = 'x'\n")
    assert find(inner).target == "esp32"


def test_nothing_found_is_empty(tmp_path: Path) -> None:
    assert find(tmp_path) == Settings(tmp_path)


def test_unknown_key_suggests_the_nearest(tmp_path: Path) -> None:
    (tmp_path / "edgekit.toml").write_text('traget = "esp32"\n')
    with pytest.raises(UnknownNameError) as caught:
        find(tmp_path)
    assert "did you mean 'target'" in caught.value.hint


def test_plan_of_the_engine(tmp_path: Path) -> None:
    (tmp_path / "edgekit.toml").write_text('optimize = "ram"\nmax_ram = 37000\n')
    assert (find(tmp_path).optimize, find(tmp_path).max_ram) == ("ram", 37000)
    (tmp_path / "edgekit.toml").write_text('max_ram = "36KiB"\nstream_input = true\n')
    assert (find(tmp_path).max_ram, find(tmp_path).stream_input) == ("36KiB", True)


@pytest.mark.parametrize(
    "line",
    [
        "stream_input = 1",
        "max_ram = true",
        "optimize = 1",
        "target = 3",
        "sparsity = 'half'",
        "sparsity = true",
        "data = ['a.npz']",
    ],
)
def test_wrong_type_is_refused(tmp_path: Path, line: str) -> None:
    (tmp_path / "edgekit.toml").write_text(f"{line}\n")
    with pytest.raises(UsageError, match="expected"):
        find(tmp_path)


@pytest.mark.parametrize("content", [b"target = \n", b"\xff\xfe", b"[tool.edgekit"])
def test_broken_file_is_named(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "edgekit.toml").write_bytes(content)
    with pytest.raises(UsageError, match=r"edgekit\.toml"):
        find(tmp_path)
