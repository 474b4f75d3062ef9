"""What kind of model a path holds, and whether it is whole: checked before TensorFlow is even started.

Keras reports a truncated file as "File not found", and inflates a small archive to any size; this looks first.
"""

from __future__ import annotations

import zipfile
from enum import StrEnum
from pathlib import Path, PurePosixPath

from edgekit.errors import ModelError, UsageError

_HDF5 = b"\x89HDF\r\n\x1a\n"
_MEMBERS = ("config.json", "model.weights.h5")
_CONFIG_LIMIT_BYTES = 64 * 1024 * 1024
_TOTAL_LIMIT_BYTES = 2 * 1024 * 1024 * 1024
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
    if found is ModelKind.KERAS:
        _check_archive(path)
    elif found is ModelKind.H5:
        _check_hdf5(path)
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


def _check_archive(path: Path) -> None:
    try:
        with zipfile.ZipFile(path) as archive:
            _check_members(path.name, archive.infolist())
            damaged = archive.testzip()
    except zipfile.BadZipFile as error:
        raise ModelError(
            f"{path.name} is truncated or damaged: {path.stat().st_size:,} bytes, its zip archive is not whole "
            f"({error})",
            hint=_AGAIN,
        ) from error
    except (OSError, EOFError, NotImplementedError, RuntimeError) as error:
        raise ModelError(f"{path.name} is damaged: {error}", hint=_AGAIN) from error
    # zlib's own error, which zipfile lets through.
    except Exception as error:
        raise ModelError(f"{path.name} is damaged: {error}", hint=_AGAIN) from error
    if damaged is not None:
        raise ModelError(f"{path.name} is damaged: its part {damaged} fails the checksum", hint=_AGAIN)


def _check_members(name: str, members: list[zipfile.ZipInfo]) -> None:
    sizes = {member.filename: member.file_size for member in members}
    missing = [member for member in _MEMBERS if member not in sizes]
    if missing:
        raise ModelError(
            f"{name} is a zip archive without {missing[0]}, so no Keras model", hint="save with model.save('m.keras')"
        )
    for member in members:
        parts = PurePosixPath(member.filename)
        is_link = (member.external_attr >> 28) == 0xA
        if parts.is_absolute() or ".." in parts.parts or is_link:
            raise ModelError(
                f"{name} has the part {member.filename!r}, which leads outside of it",
                hint="do not use this file: an honest model has no such part",
            )
    if sizes["config.json"] > _CONFIG_LIMIT_BYTES or sum(sizes.values()) > _TOTAL_LIMIT_BYTES:
        raise ModelError(
            f"{name} inflates to {sum(sizes.values()):,} bytes (config.json {sizes['config.json']:,}), "
            f"the limits are {_TOTAL_LIMIT_BYTES:,} and {_CONFIG_LIMIT_BYTES:,}",
            hint="do not use this file: no model for a small device is of that size",
        )


def _check_hdf5(path: Path) -> None:
    import h5py

    try:
        with h5py.File(path, "r") as file:
            attributes = set(file.attrs)
    except OSError as error:
        raise ModelError(
            f"{path.name} is truncated or damaged: {path.stat().st_size:,} bytes ({error})", hint=_AGAIN
        ) from error
    if "model_config" not in attributes:
        raise ModelError(
            f"{path.name} holds weights or other data without an architecture, expected a whole Keras model",
            hint="build the model, load these weights into it, and save it with model.save('m.keras')",
        )
