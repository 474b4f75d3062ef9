"""A project's defaults: `[tool.edgekit]` of pyproject.toml, or edgekit.toml. Flags win over them."""

from __future__ import annotations

import dataclasses
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from edgekit.errors import UnknownNameError, UsageError

_KINDS: dict[str, tuple[type, ...]] = {
    "sparsity": (int, float),
    "max_ram": (int, str),
    "max_flash": (int, str),
    "max_instructions": (int, str),
    "stream_input": (bool,),
}
_EXPECTED = {
    "sparsity": "a number",
    "max_ram": "a size in bytes, such as 37000 or '36KiB'",
    "max_flash": "a size in bytes, such as 65536 or '64KiB'",
    "max_instructions": "a number, such as 5000000 or '5M'",
    "stream_input": "true or false",
}


@dataclass(frozen=True, slots=True)
class Settings:
    """What a project says once, so that commands need not repeat it.

    Attributes:
        base: folder of the file; its relative paths start here. The current folder when there is no file.
        model: model file or folder.
        target: name of a target.
        data: `.npz` file or `module:function`.
        recipe: name of a recipe, or a TOML file.
        sparsity: fraction of weights to prune, 0 <= sparsity < 1.
        out: folder for outputs.
        metric: "accuracy", "auc", "mse" or `module:function`.
        engine: "aot" or "tflm".
        port: serial port of the board.
        optimize: "speed", "balanced", "ram" or "flash".
        max_ram: bound on the arena, in bytes or as a text such as "36KiB".
        max_flash: bound on the firmware's flash, in bytes or as a text such as "64KiB".
        max_instructions: bound on the instructions of one inference, a number or a text such as "5M".
        stream_input: the application hands over the input row by row.
        form: in which weights are stored wherever a kernel reads it.
    """

    base: Path
    model: str | None = None
    target: str | None = None
    data: str | None = None
    recipe: str | None = None
    sparsity: float | None = None
    out: str | None = None
    metric: str | None = None
    engine: str | None = None
    port: str | None = None
    optimize: str | None = None
    max_ram: int | str | None = None
    max_flash: int | str | None = None
    max_instructions: int | str | None = None
    stream_input: bool | None = None
    form: str | None = None

    def path(self, value: str) -> Path:
        """Return a path of the file as seen from the current folder.

        Example:
            >>> Settings(Path("project")).path("model.keras").as_posix()
            'project/model.keras'
        """
        return self.base / value


def find(folder: Path) -> Settings:
    """Read the settings of the project that a folder belongs to.

    Args:
        folder: where to begin; its parents are searched after it, and the first file found counts alone.

    Returns:
        The settings; empty ones when no file is found.

    Raises:
        UsageError: the file is no TOML, or a value has the wrong type.
        UnknownNameError: an unknown key; the hint suggests the nearest one.
    """
    for place in (folder, *folder.resolve().parents):
        own = place / "edgekit.toml"
        if own.is_file():
            return _settings(_table(own), own, place)
        project = place / "pyproject.toml"
        if project.is_file():
            table = _table(project).get("tool", {}).get("edgekit")
            if table is not None:
                return _settings(table, project, place)
    return Settings(folder)


def _table(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise UsageError(
            f"{path}: not valid TOML: {error}", hint="correct the line named, or remove the file"
        ) from error


def _settings(table: Any, path: Path, base: Path) -> Settings:
    if not isinstance(table, dict):
        raise UsageError(f"{path}: tool.edgekit is no table", hint="write it as [tool.edgekit] with keys below")
    known = [field.name for field in dataclasses.fields(Settings) if field.name != "base"]
    for key, value in table.items():
        if key not in known:
            raise UnknownNameError(f"key in {path}", key, known)
        kinds = _KINDS.get(key, (str,))
        if not isinstance(value, kinds) or (isinstance(value, bool) and bool not in kinds):
            expected = _EXPECTED.get(key, "a text")
            raise UsageError(f"{path}: {key} is {value!r}, expected {expected}", hint=f"correct {key} in {path.name}")
    return Settings(base, **table)
