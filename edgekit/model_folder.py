"""A folder of `models/`: a trained model with its data, metric, labels and recipe, told by `model.toml`."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from edgekit.compress import Recipe, recipe_from_tables
from edgekit.errors import UsageError

_FILE = "model.toml"
_HINT = "models/digits/model.toml is a short example"
# key -> (type, required)
_KEYS: Mapping[str, tuple[type, bool]] = {
    "name": (str, True),
    "description": (str, True),
    "license": (str, True),
    "seed": (int, False),
    "simulated": (bool, False),
    "model": (str, True),
    "data": (str, True),
    "metric": (str, False),
    "labels": (list, False),
    "step": (list, False),
}


@dataclass(frozen=True, slots=True)
class ModelFolder:
    """What `model.toml` says.

    Attributes:
        name: the model's name, before it becomes a C identifier.
        model: the Keras model, or a `.tflite`.
        data: path of an `.npz`, as it stands in `model.toml`, relative to the folder; or ``module:function``.
        metric: what the model is judged by; None where it has no labels.
        labels: class names in the order of the outputs; empty where there are none.
        recipe: the compression that is part of the model; None where there is none.
        description: one line for people.
        license: of model and data.
        simulated: the data was simulated or synthesized; every figure made with it says so.
        seed: of the training.
    """

    name: str
    model: Path
    data: str
    metric: str | None
    labels: tuple[str, ...]
    recipe: Recipe | None
    description: str
    license: str
    simulated: bool
    seed: int = 0


def read(folder: Path) -> ModelFolder:
    """Read a model folder.

    Args:
        folder: holds `model.toml` and the files that it names.

    Returns:
        The folder's content; files are checked for existence, not opened.

    Raises:
        UsageError: no `model.toml`, or it is not TOML, or has an unknown, missing or ill-typed key, or names
            a file that is not there.
    """
    table = _read_table(folder)
    model = _existing(folder, "model", table["model"])
    data = table["data"]
    if _is_file(data):
        _existing(folder, "data", data)
    labels = table.get("labels", [])
    if not all(isinstance(label, str) for label in labels):
        raise UsageError(
            f"{folder.name}/{_FILE}: labels are not all text",
            hint='write labels = ["yes", "no"], quotes included',
        )
    steps = table.get("step")
    return ModelFolder(
        name=table["name"],
        model=model,
        data=data,
        metric=table.get("metric"),
        labels=tuple(labels),
        recipe=recipe_from_tables(table["name"], steps) if steps else None,
        description=table["description"],
        license=table["license"],
        simulated=table.get("simulated", False),
        seed=table.get("seed", 0),
    )


def _read_table(folder: Path) -> dict[str, Any]:
    """Read `model.toml` and check its keys."""
    path = folder / _FILE
    where = f"{folder.name}/{_FILE}"
    try:
        table = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise UsageError(f"{path} cannot be read: {error.strerror}", hint=f"a model folder has one; {_HINT}") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise UsageError(f"{where} is not TOML: {error}", hint=_HINT) from error
    unknown = sorted(set(table) - set(_KEYS))
    if unknown:
        raise UsageError(f"{where}: unknown key {unknown[0]!r}", hint=f"allowed keys: {', '.join(_KEYS)}")
    for key, (kind, required) in _KEYS.items():
        if key not in table:
            if required:
                raise UsageError(f"{where}: key {key!r} is missing", hint=_HINT)
            continue
        # bool is an int to Python, not to a reader.
        if type(table[key]) is not kind:
            raise UsageError(f"{where}: {key} is {table[key]!r}, expected {_WORDS[kind]}", hint=_HINT)
        if kind is str and not table[key]:
            raise UsageError(f"{where}: {key} is empty, expected {_WORDS[kind]}", hint=_HINT)
    return table


_WORDS: Mapping[type, str] = {
    str: "text",
    int: "a whole number",
    bool: "true or false",
    list: "a list",
}


def _is_file(data: str) -> bool:
    """True for a path, False for ``module:function``."""
    module, colon, function = data.partition(":")
    return not (colon and function.isidentifier() and all(part.isidentifier() for part in module.split(".")))


def _existing(folder: Path, key: str, value: str) -> Path:
    """Return the path of a file that `model.toml` names."""
    path = folder / value
    if not path.exists():
        raise UsageError(
            f"{folder.name}/{_FILE}: {key} is {value!r}, but there is no such file in {folder}",
            hint=f"run python {folder.name}/train.py, or correct {key}",
        )
    return path
