"""What the user named as MODEL: a file, a SavedModel, or a folder of models/ with a model.toml."""

from __future__ import annotations

import difflib
import hashlib
import importlib.util
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from edgekit.errors import UsageError

if TYPE_CHECKING:
    from edgekit.compress import Recipe

KERAS_SUFFIXES = (".keras", ".h5", ".hdf5")
_KINDS = "a .keras, .h5 or .tflite file, a SavedModel folder, or a folder with a model.toml"


@dataclass(frozen=True, slots=True)
class DataSource:
    """Where samples come from, not yet loaded.

    Attributes:
        spec: `.npz` file or `module:function`.
        base: folder that a relative spec starts from.
    """

    spec: str
    base: Path

    def identity(self) -> bytes:
        """Return bytes that change when the samples do: the file, or the source of the function's module."""
        module, colon, _ = self.spec.partition(":")
        path = self.base / self.spec
        if not path.is_file() and colon:
            path = self.base / f"{module.replace('.', '/')}.py"
        content = hashlib.sha256(path.read_bytes()).digest() if path.is_file() else b""
        return self.spec.encode() + content


def objects_identity(objects: str | None) -> bytes:
    """Return bytes that change when the module with a model's custom layers does: its name and its source."""
    if objects is None:
        return b""
    path = Path(objects)
    if path.suffix != ".py":
        local = Path(f"{objects.replace('.', '/')}.py")
        found = None if local.is_file() else importlib.util.find_spec(objects.partition(".")[0])
        path = local if found is None or found.origin is None else Path(found.origin)
    return objects.encode() + (hashlib.sha256(path.read_bytes()).digest() if path.is_file() else b"")


@dataclass(frozen=True, slots=True)
class ModelSource:
    """A model that was found, not yet loaded.

    Attributes:
        path: file, or SavedModel folder.
        name: of the model: its folder's in models/, else the file's stem.
        data: samples that belong to it; None where the folder names none.
        metric: how it is judged; None where nothing says it.
        labels: class names in output order.
        recipe: the compression that its model.toml asks for.
        simulated: its data are simulated: every figure made from them says so.
        base: folder in which a metric's `module:function` is looked up.
    """

    path: Path
    name: str
    data: DataSource | None = None
    metric: str | None = None
    labels: tuple[str, ...] = ()
    recipe: Recipe | None = None
    simulated: bool = False
    base: Path = Path()

    @property
    def is_flatbuffer(self) -> bool:
        """The model is a .tflite already: nothing to convert, nothing that could be compressed."""
        return self.path.suffix == ".tflite"

    def identity(self) -> bytes:
        """Return a hash over every byte of the model."""
        if self.path.is_file():
            return hashlib.sha256(self.path.read_bytes()).digest()
        digest = hashlib.sha256()
        for path in sorted(path for path in self.path.rglob("*") if path.is_file()):
            digest.update(path.relative_to(self.path).as_posix().encode() + b"\0")
            digest.update(hashlib.sha256(path.read_bytes()).digest())
        return digest.digest()


def resolve(model: Path) -> ModelSource:
    """Find out what the user named.

    Args:
        model: file or folder.

    Returns:
        The source; no model code has been run, nothing heavy imported.

    Raises:
        UsageError: nothing there, or no kind of model that EdgeKit reads; the hint names what is near.
    """
    if model.is_dir():
        return _resolve_folder(model)
    if not model.exists():
        raise UsageError(f"{model} does not exist, expected {_KINDS}", hint=_near(model))
    if model.suffix not in (*KERAS_SUFFIXES, ".tflite"):
        raise UsageError(f"{model} is no model by its suffix, expected {_KINDS}", hint="save the model as .keras")
    return ModelSource(model, model.stem)


def _resolve_folder(folder: Path) -> ModelSource:
    if (folder / "model.toml").is_file():
        from edgekit import model_folder

        found = model_folder.read(folder)
        data = DataSource(found.data, folder) if found.data else None
        return ModelSource(
            found.model, found.name, data, found.metric, found.labels, found.recipe, found.simulated, folder
        )
    if (folder / "saved_model.pb").is_file():
        return ModelSource(folder, folder.resolve().name)
    if (folder / "report.json").is_file():
        raise UsageError(
            f"{folder} is a build folder, expected {_KINDS}",
            hint=f"`edgekit bench {folder}` measures it as it is",
        )
    raise UsageError(
        f"{folder} has neither model.toml nor saved_model.pb, expected {_KINDS}",
        hint="name the model file inside the folder, or add a model.toml",
    )


def _near(model: Path) -> str:
    try:
        names = [path.name for path in model.parent.iterdir()]
    except OSError:
        names = []
    close = difflib.get_close_matches(model.name, names, n=1, cutoff=0.5)
    return f"did you mean {model.parent / close[0]}?" if close else "check the path; it starts from the current folder"
