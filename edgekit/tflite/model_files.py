"""What kind of model a path holds, and whether it is fit to be loaded: checked before TensorFlow is even started.

Keras reports a truncated file as "File not found", and inflates a small archive to any size; this looks first.
"""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path

from edgekit.errors import ModelError, UsageError
from edgekit.tflite import keras_archive

_HDF5 = b"\x89HDF\r\n\x1a\n"
_AGAIN = "save it again with model.save(...), or copy it again and compare the sizes"


class ModelKind(StrEnum):
    """The forms in which a model may come."""

    KERAS = ".keras"
    H5 = ".h5"
    SAVED_MODEL = "SavedModel"
    TFLITE = ".tflite"


def examine(path: Path) -> ModelKind:
    """Find out what `path` holds, by its content as well as by its name.

    Args:
        path: a .keras, .h5, .hdf5 or .tflite file, or a SavedModel folder.

    Returns:
        The kind.

    Raises:
        ModelError: empty, truncated, damaged, or of another kind than its name says; the message gives the reason.
        UsageError: no such file.
    """
    if path.is_dir():
        if (path / "saved_model.pb").is_file():
            keras_archive.check(path, ModelKind.SAVED_MODEL)
            return ModelKind.SAVED_MODEL
        raise ModelError(
            f"folder {path.name} has no saved_model.pb, expected a SavedModel", hint="give the model file itself"
        )
    try:
        with path.open("rb") as stream:
            head = stream.read(8)
    except FileNotFoundError as error:
        raise UsageError(f"model {path} does not exist", hint="check the file name") from error
    except OSError as error:
        raise ModelError(f"{path.name} cannot be read: {error.strerror}", hint="check its permissions") from error
    if not head:
        raise ModelError(f"{path.name} is empty (0 bytes)", hint=_AGAIN)
    found, expected = _kind_of(head), _expected(path)
    if found is not None and found is not expected:
        raise ModelError(
            f"{path.name} is named {path.suffix}, but its content is a {found} file", hint=f"rename it to {found}"
        )
    if found is None:
        raise ModelError(f"{path.name} is no {expected} file: it begins with {head[:4]!r}", hint=_AGAIN)
    if found is not ModelKind.TFLITE:
        keras_archive.check(path, found)
    return found


def _kind_of(head: bytes) -> ModelKind | None:
    if head.startswith(b"PK\x03\x04"):
        return ModelKind.KERAS
    if head == _HDF5:
        return ModelKind.H5
    return ModelKind.TFLITE if head[4:8] == b"TFL3" else None


def _expected(path: Path) -> ModelKind:
    suffix = path.suffix.lower()
    kinds = {".keras": ModelKind.KERAS, ".h5": ModelKind.H5, ".hdf5": ModelKind.H5, ".tflite": ModelKind.TFLITE}
    if suffix not in kinds:
        raise ModelError(
            f"{path.name} is no model by its suffix, expected .keras, .h5, .tflite or a SavedModel folder",
            hint="save the model as .keras",
        )
    return kinds[suffix]
