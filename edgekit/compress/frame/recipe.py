"""Recipes: ordered techniques with their settings, in TOML `[[step]]` tables."""

from __future__ import annotations

import dataclasses
import importlib
import json
import math
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from edgekit.compress.frame.step import Technique
from edgekit.errors import UnknownNameError, UsageError

_FOLDER = Path(__file__).parents[1]
_RECIPES = _FOLDER / "recipes"
_FORM = 'a recipe is one or more [[step]] tables, each with technique = "..." and its settings'


@dataclass(frozen=True, slots=True)
class Recipe:
    """An ordered list of techniques.

    Attributes:
        name: what reports call it; the stem of its file.
        steps: applied left to right.
        description: one line for people; may be empty.
    """

    name: str
    steps: tuple[Technique, ...]
    description: str = ""


def technique_names() -> list[str]:
    """Return the names of all techniques: the files of this folder without a leading underscore.

    Example:
        >>> "prune" in technique_names()
        True
    """
    return sorted(path.stem for path in _FOLDER.glob("*.py") if not path.stem.startswith("_"))


def recipe_names() -> list[str]:
    """Return the names of the recipes that ship.

    Example:
        >>> recipe_names()
        ['accurate', 'balanced', 'small']
    """
    return sorted(path.stem for path in _RECIPES.glob("*.toml"))


def recipe_from_tables(name: str, tables: Sequence[Mapping[str, Any]]) -> Recipe:
    """Make a recipe of the `[[step]]` tables of a TOML file.

    Args:
        name: the recipe's name.
        tables: one mapping a step: `technique` and any of its settings.

    Returns:
        The recipe, every setting checked.

    Raises:
        UnknownNameError: no technique of that name; the hint suggests the nearest.
        UsageError: a step without technique, an unknown setting, or a value out of its range.

    Example:
        >>> recipe_from_tables("mine", [{"technique": "prune", "sparsity": 0.8}]).steps[0].sparsity
        0.8
    """
    if not isinstance(tables, Sequence) or not all(isinstance(table, Mapping) for table in tables):
        raise UsageError(f"recipe {name!r}: `step` is not a list of tables", hint=_FORM)
    return Recipe(name=name, steps=tuple(_step(name, number, table) for number, table in enumerate(tables, 1)))


def load_recipe(name_or_path: str) -> Recipe:
    """Read a recipe that ships, or one from a file.

    Args:
        name_or_path: a name of `recipe_names()`, or the path of a `.toml` file.

    Returns:
        The recipe, named after the file's stem.

    Raises:
        UnknownNameError: no recipe of that name.
        UsageError: the file cannot be read, is not TOML, or is not a recipe.

    Example:
        >>> [step.name for step in load_recipe("small").steps]
        ['prune_channels', 'quantization_aware']
    """
    path = Path(name_or_path)
    if path.suffix != ".toml" and len(path.parts) == 1:
        if name_or_path not in recipe_names():
            raise UnknownNameError("recipe", name_or_path, recipe_names())
        path = _RECIPES / f"{name_or_path}.toml"
    table = _read(path)
    unknown = sorted(set(table) - {"description", "step"})
    if unknown:
        raise UsageError(f"{path.name}: unknown key {unknown[0]!r}", hint=_FORM)
    if not table.get("step"):
        raise UsageError(f"{path.name}: no [[step]] in this recipe", hint=_FORM)
    description = table.get("description", "")
    if not isinstance(description, str):
        raise UsageError(f"{path.name}: description is not text", hint='write description = "..."')
    return dataclasses.replace(recipe_from_tables(path.stem, table["step"]), description=description)


def recipe_to_toml(recipe: Recipe) -> str:
    """Write a recipe as TOML, every setting spelled out, so that defaults may change later.

    Args:
        recipe: any recipe.

    Returns:
        Text that `load_recipe` reads back to an equal recipe.

    Example:
        >>> print(recipe_to_toml(recipe_from_tables("mine", [{"technique": "prune"}])).splitlines()[1])
        technique = "prune"
    """
    lines = [f"description = {_toml(recipe.description)}\n"] if recipe.description else []
    for step in recipe.steps:
        settings = dataclasses.fields(step)  # type: ignore[arg-type]
        lines += ["[[step]]", f"technique = {_toml(step.name)}"]
        lines += [f"{field.name} = {_toml(getattr(step, field.name))}" for field in settings]
        lines.append("")
    return "\n".join(lines)


def _read(path: Path) -> dict[str, Any]:
    """Read a TOML file; every way in which that fails is the user's to mend."""
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise UsageError(
            f"recipe {path} cannot be read: {error.strerror}",
            hint=f"give a file, or one of: {', '.join(recipe_names())}",
        ) from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise UsageError(f"recipe {path} is not TOML: {error}", hint=_FORM) from error


def _step(recipe: str, number: int, table: Mapping[str, Any]) -> Technique:
    """Make the technique of one table."""
    where = f"recipe {recipe!r}, step {number}"
    name = table.get("technique")
    if not isinstance(name, str):
        raise UsageError(f"{where}: `technique` is missing", hint=f"techniques: {', '.join(technique_names())}")
    if name not in technique_names():
        raise UnknownNameError("technique", name, technique_names())
    kind = technique_class(name)
    fields = [field.name for field in dataclasses.fields(kind)]
    settings = {key: value for key, value in table.items() if key != "technique"}
    unknown = sorted(set(settings) - set(fields))
    if unknown:
        raise UsageError(
            f"{where}: {name} has no setting {unknown[0]!r}", hint=f"settings of {name}: {', '.join(fields)}"
        )
    frozen = {key: tuple(value) if isinstance(value, list) else value for key, value in settings.items()}
    technique: Technique = kind(**frozen)
    return technique


def technique_class(name: str) -> Any:
    """Return the class of a technique: `low_rank` lies in low_rank.py and is called LowRank."""
    module = importlib.import_module(f"edgekit.compress.{name}")
    return getattr(module, "".join(word.capitalize() for word in name.split("_")))


def _toml(value: object) -> str:
    """Write one value as TOML."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, tuple):
        return "[" + ", ".join(_toml(item) for item in value) + "]"
    if isinstance(value, str):
        # JSON's escapes are TOML's, but for DEL, which TOML wants escaped too.
        return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007F")
    if isinstance(value, float) and math.isfinite(value):
        return repr(value)
    return str(value)
