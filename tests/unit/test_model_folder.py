"""`model.toml`: what it must hold, and how a mistake in it is told."""

from __future__ import annotations

from pathlib import Path

import pytest

from edgekit import model_folder
from edgekit.errors import UnknownNameError, UsageError

_GOOD = """\
name = "blink"
description = "Tells open eyes from closed ones."
license = "Apache-2.0"
seed = 4
simulated = true
model = "model.keras"
data = "data.npz"
metric = "accuracy"
labels = ["open", "closed"]

[[step]]
technique = "prune"
sparsity = 0.25
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder whose files are there, with nothing in them."""
    for name in ("model.keras", "data.npz"):
        (tmp_path / name).touch()
    return tmp_path


def _write(folder: Path, text: str) -> Path:
    (folder / "model.toml").write_text(text, encoding="utf-8")
    return folder


def test_all_keys_are_read(folder: Path) -> None:
    found = model_folder.read(_write(folder, _GOOD))
    assert (found.name, found.metric, found.labels, found.seed) == ("blink", "accuracy", ("open", "closed"), 4)
    assert found.model == folder / "model.keras" and found.data == "data.npz"
    assert found.simulated and found.license == "Apache-2.0"
    assert found.recipe is not None and found.recipe.name == "blink"
    assert found.recipe.steps[0].sparsity == 0.25  # type: ignore[attr-defined]


def test_what_may_be_left_out(folder: Path) -> None:
    kept = [line for line in _GOOD.split("\n\n")[0].splitlines() if not line.startswith(("me", "la", "se", "si"))]
    found = model_folder.read(_write(folder, "\n".join(kept)))
    assert (found.metric, found.labels, found.recipe, found.simulated, found.seed) == (None, (), None, False, 0)


def test_data_may_come_from_a_function(folder: Path) -> None:
    found = model_folder.read(_write(folder, _GOOD.replace("data.npz", "my_data.eyes:load")))
    assert found.data == "my_data.eyes:load"


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        pytest.param('name = "blink"', "", "key 'name' is missing", id="no name"),
        pytest.param('name = "blink"', 'name = ""', "name is empty", id="empty name"),
        pytest.param("license", "licence", "unknown key 'licence'", id="misspelled key"),
        pytest.param("seed = 4", "seed = true", "seed is True, expected a whole number", id="bool for a number"),
        pytest.param("simulated = true", 'simulated = "no"', "expected true or false", id="text for a bool"),
        pytest.param('["open", "closed"]', "[1, 2]", "labels are not all text", id="numbers for labels"),
        pytest.param('"model.keras"', '"modle.keras"', "model is 'modle.keras', but there is no", id="no model"),
        pytest.param('"data.npz"', '"date.npz"', "data is 'date.npz', but there is no", id="no data"),
        pytest.param("[[step]]", "[step]", "step is .* expected a list", id="a step that is no list"),
        pytest.param("[[step]]", "[[step]", "not TOML", id="broken TOML"),
        pytest.param("sparsity = 0.25", "sparsity = 25", "sparsity is 25", id="percent in the recipe"),
    ],
)
def test_a_mistake_is_told_in_words(old: str, new: str, message: str, folder: Path) -> None:
    with pytest.raises(UsageError, match=message) as caught:
        model_folder.read(_write(folder, _GOOD.replace(old, new, 1)))
    assert caught.value.hint


def test_an_unknown_technique_suggests_the_nearest(folder: Path) -> None:
    with pytest.raises(UnknownNameError) as caught:
        model_folder.read(_write(folder, _GOOD.replace('"prune"', '"pruning"')))
    assert "did you mean 'prune'" in caught.value.hint


def test_a_folder_without_a_table(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="cannot be read"):
        model_folder.read(tmp_path)
    (tmp_path / "model.toml").write_bytes(b"\xff")
    with pytest.raises(UsageError, match="not TOML"):
        model_folder.read(tmp_path)
