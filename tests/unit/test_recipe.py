"""Recipes: read, written, refused; no test here needs Keras."""

from __future__ import annotations

import dataclasses
import json
import subprocess
import sys
from pathlib import Path

import pytest

from edgekit.compress import (
    LayerChange,
    StepResult,
    load_recipe,
    recipe_from_tables,
    recipe_names,
    recipe_to_toml,
    technique_names,
)
from edgekit.compress.prune import Prune
from edgekit.compress.prune_channels import PruneChannels
from edgekit.compress.quantization_aware import QuantizationAware
from edgekit.errors import UnknownNameError, UsageError


def test_importing_the_package_and_reading_a_recipe_load_nothing_heavy() -> None:
    """The CLI reads recipes before any child process exists."""
    program = (
        "import sys; from edgekit.compress import load_recipe; load_recipe('small'); "
        "print([m for m in ('keras', 'tensorflow', 'numpy') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, timeout=60)
    assert done.stdout.strip() == "[]"


def test_techniques_are_the_files_of_the_folder() -> None:
    assert "prune" in technique_names()


@pytest.mark.parametrize("name", recipe_names())
def test_every_recipe_that_ships_loads_and_survives_being_written(name: str, tmp_path: Path) -> None:
    recipe = load_recipe(name)
    assert recipe.name == name and recipe.description and recipe.steps
    path = tmp_path / f"{name}.toml"
    path.write_text(recipe_to_toml(recipe), encoding="utf-8")
    assert load_recipe(str(path)) == recipe


def test_small_cuts_more_than_balanced_than_accurate() -> None:
    """Each is a chain that ends with quantization, whose grid a later step would break."""
    ratios = []
    for name in ("small", "balanced", "accurate"):
        first, *_, last = load_recipe(name).steps
        assert isinstance(first, PruneChannels) and isinstance(last, QuantizationAware)
        ratios.append(first.ratio)
    assert ratios == sorted(ratios, reverse=True) and len(set(ratios)) == 3


def test_every_setting_survives_being_written(tmp_path: Path) -> None:
    """Values that TOML writes in its own way: text to escape, small numbers, empty and full lists."""
    step = {"technique": "prune", "leave_out": ['a"b\\c', "ä\n"], "learning_rate": 1e-05, "depthwise": True}
    recipe = recipe_from_tables("mine", [step, {"technique": "prune", "schedule": "constant"}])
    path = tmp_path / "mine.toml"
    path.write_text(recipe_to_toml(recipe), encoding="utf-8")
    assert load_recipe(str(path)) == recipe


@pytest.mark.parametrize(
    ("setting", "value", "expected"),
    [
        pytest.param("sparsity", 1.0, ">= 0 and < 1", id="all weights gone"),
        pytest.param("sparsity", -0.1, ">= 0 and < 1", id="negative"),
        pytest.param("sparsity", 50, ">= 0 and < 1", id="percent"),
        pytest.param("sparsity", float("nan"), ">= 0 and < 1", id="nan"),
        pytest.param("sparsity", "0.5", "a number", id="text for a number"),
        pytest.param("sparsity", True, "a number", id="bool for a number"),
        pytest.param("epochs", 2.5, "a whole number", id="half an epoch"),
        pytest.param("epochs", -1, ">= 0", id="negative epochs"),
        pytest.param("batch_size", 0, ">= 1", id="empty batch"),
        pytest.param("update_every", 0, ">= 1", id="never updated"),
        pytest.param("schedule", "cubic", "one of constant, one_shot, polynomial, iterative", id="unknown schedule"),
        pytest.param("depthwise", 1, "true or false", id="number for a bool"),
        pytest.param("leave_out", "conv", "a list", id="text for a list"),
        pytest.param("leave_out", [1], "a list", id="numbers for names"),
    ],
)
def test_a_setting_out_of_range_names_the_range(setting: str, value: object, expected: str) -> None:
    with pytest.raises(UsageError) as caught:
        recipe_from_tables("mine", [{"technique": "prune", setting: value}])
    assert setting in caught.value.what and expected in caught.value.what
    assert setting in caught.value.hint


def test_settings_that_contradict_each_other_are_refused() -> None:
    with pytest.raises(UsageError, match="begin"):
        Prune(begin=0.8, end=0.5)
    with pytest.raises(UsageError, match="initial_sparsity"):
        Prune(sparsity=0.3, initial_sparsity=0.5)


def test_unknown_names_suggest_the_nearest() -> None:
    with pytest.raises(UnknownNameError, match="technique 'prunne'") as technique:
        recipe_from_tables("mine", [{"technique": "prunne"}])
    assert "did you mean 'prune'" in technique.value.hint
    with pytest.raises(UnknownNameError) as recipe:
        load_recipe("smal")
    assert "did you mean 'small'" in recipe.value.hint
    with pytest.raises(UsageError, match="no setting 'sparsety'") as setting:
        recipe_from_tables("mine", [{"technique": "prune", "sparsety": 0.5}])
    assert "sparsity" in setting.value.hint


@pytest.mark.parametrize("name", ["_recipe", "__init__", "recipes"])
def test_the_frame_is_no_technique(name: str) -> None:
    with pytest.raises(UnknownNameError):
        recipe_from_tables("mine", [{"technique": name}])


@pytest.mark.parametrize(
    ("content", "message"),
    [
        pytest.param(b"[[step]\n", "not TOML", id="broken TOML"),
        pytest.param(b"\xff\xfe", "not TOML", id="not UTF-8"),
        pytest.param(b"", r"no \[\[step\]\]", id="empty"),
        pytest.param(b"step = 3", "not a list of tables", id="step is a number"),
        pytest.param(b'step = ["prune"]', "not a list of tables", id="step is a list of text"),
        pytest.param(b"[[step]]\nsparsity = 0.5", "`technique` is missing", id="no technique"),
        pytest.param(b"[[steps]]\n", "unknown key 'steps'", id="unknown key"),
        pytest.param(b'description = 1\n[[step]]\ntechnique = "prune"', "not text", id="description"),
    ],
)
def test_a_bad_file_is_told_in_words(content: bytes, message: str, tmp_path: Path) -> None:
    path = tmp_path / "bad.toml"
    path.write_bytes(content)
    with pytest.raises(UsageError, match=message):
        load_recipe(str(path))


def test_a_missing_file_is_told_in_words(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="cannot be read"):
        load_recipe(str(tmp_path / "none.toml"))
    with pytest.raises(UsageError, match="cannot be read"):
        load_recipe(f"{tmp_path}/")


def test_a_step_result_survives_json() -> None:
    step = StepResult(
        technique="prune",
        settings=(("sparsity", 0.5), ("schedule", "constant"), ("epochs", 3)),
        summary="1 layer",
        layers=(LayerChange("conv", "sparsity", 0.0, 0.5),),
        skipped=(("depthwise", "few weights"),),
    )
    assert StepResult.from_json(json.loads(json.dumps(dataclasses.asdict(step)))) == step
