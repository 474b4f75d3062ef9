"""The public names are what they say, whatever was imported before them."""

from __future__ import annotations

import importlib
import inspect
import subprocess
import sys

import pytest

import edgekit


@pytest.mark.parametrize("name", edgekit.__all__)
def test_public_name_is_no_module(name: str) -> None:
    first = getattr(edgekit, name)
    for module in ("edgekit.build", "edgekit.bench", "edgekit.compress"):
        importlib.import_module(module)
    again = getattr(edgekit, name)
    assert first is again
    assert inspect.isclass(again) or inspect.isfunction(again)
    assert again.__doc__


def test_unknown_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="no attribute 'biuld'"):
        edgekit.biuld  # noqa: B018


def test_build_stays_a_function_when_its_module_came_first() -> None:
    code = "import edgekit.build, edgekit.bench, edgekit; print(callable(edgekit.build), callable(edgekit.bench))"
    answer = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60)
    assert answer.stdout.split() == ["True", "True"]
