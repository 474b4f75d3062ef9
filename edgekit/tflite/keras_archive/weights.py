"""The HDF5 files that hold weights: nothing outside of the file, no sizes that are only claimed."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from edgekit.errors import ModelError
from edgekit.tflite.keras_archive.members import CONFIG_LIMIT_BYTES

_LIMIT_DEPTH = 64
_LIMIT_OBJECTS = 100_000
_TOTAL_LIMIT_BYTES = 2 * 1024 * 1024 * 1024
# Data that was never written or that compresses beyond this takes memory that the file does not have.
_LIMIT_RATIO, _RATIO_BYTES = 200, 8 * 1024 * 1024
# Those that come with HDF5 itself: deflate, shuffle, fletcher32, szip, nbit, scale-offset; and lzf.
_FILTERS = {1, 2, 3, 4, 5, 6, 32000}
_AGAIN = "save it again with model.save(...), or copy it again and compare the sizes"
_HOSTILE = "do not use this file: an honest model has no such part"


def model_config(path: Path) -> bytes:
    """Return the config of a .h5 model.

    Raises:
        ModelError: it has none, or is damaged.
    """
    import h5py

    try:
        with h5py.File(path, "r") as file:
            if "model_config" not in file.attrs:
                raise ModelError(
                    f"{path.name} holds weights or other data without an architecture, expected a whole Keras model",
                    hint="build the model, load these weights into it, and save it with model.save('m.keras')",
                )
            text = file.attrs["model_config"]
    except OSError as error:
        raise _damaged(path, path.name, error) from error
    content = text.encode() if isinstance(text, str) else bytes(text)
    if len(content) > CONFIG_LIMIT_BYTES:
        raise ModelError(
            f"{path.name}: model_config has {len(content):,} bytes, the limit is {CONFIG_LIMIT_BYTES:,}", hint=_HOSTILE
        )
    return content


def check(path: Path, name: str) -> int:
    """Check an HDF5 file.

    Args:
        path: the file.
        name: as errors call it.

    Returns:
        How many numbers its data sets hold.

    Raises:
        ModelError: damaged, with links or data outside of it, or larger than it can be.
    """
    import h5py

    try:
        with h5py.File(path, "r") as file:
            return _walk(file, name, h5py)
    except OSError as error:
        raise _damaged(path, name, error) from error


def _damaged(path: Path, name: str, error: OSError) -> ModelError:
    return ModelError(f"{name} is truncated or damaged: {path.stat().st_size:,} bytes ({error})", hint=_AGAIN)


def _walk(file: Any, name: str, h5py: Any) -> int:
    """Visit everything that hangs in the file by hard links, each object once."""
    todo: list[tuple[Any, int]] = [(file, 0)]
    seen: set[int] = set()
    elements = total = 0
    while todo:
        group, depth = todo.pop()
        if depth > _LIMIT_DEPTH:
            raise ModelError(f"{name} has groups within groups, more than {_LIMIT_DEPTH} deep", hint=_HOSTILE)
        for key in group:
            link = group.get(key, getlink=True)
            where = f"{name}: {key[:60]!r}"
            if not isinstance(link, h5py.HardLink):
                raise ModelError(f"{where} is a link that leads elsewhere ({type(link).__name__})", hint=_HOSTILE)
            found = group[key]
            address = h5py.h5o.get_info(found.id).addr
            if address in seen:
                continue
            seen.add(address)
            if len(seen) > _LIMIT_OBJECTS:
                raise ModelError(f"{name} has more than {_LIMIT_OBJECTS:,} parts", hint=_HOSTILE)
            if isinstance(found, h5py.Group):
                todo.append((found, depth + 1))
            elif isinstance(found, h5py.Dataset):
                elements += found.size or 0
                total += _data_bytes(found, where)
    if total > _TOTAL_LIMIT_BYTES:
        raise ModelError(f"{name} unfolds to {total:,} bytes, the limit is {_TOTAL_LIMIT_BYTES:,}", hint=_HOSTILE)
    return elements


def _data_bytes(data: Any, where: str) -> int:
    """Return the bytes of a data set once it was checked."""
    if data.external or data.is_virtual:
        raise ModelError(f"{where} keeps its data in other files", hint=_HOSTILE)
    if data.dtype.hasobject:
        raise ModelError(f"{where} holds objects, expected numbers", hint=_HOSTILE)
    settings = data.id.get_create_plist()
    filters = {settings.get_filter(number)[0] for number in range(settings.get_nfilters())}
    if not filters <= _FILTERS:
        raise ModelError(
            f"{where} needs the filter {min(filters - _FILTERS)}, which is not part of HDF5", hint=_HOSTILE
        )
    size, stored = int(data.size or 0) * int(data.dtype.itemsize), int(data.id.get_storage_size())
    if size > _RATIO_BYTES and size > _LIMIT_RATIO * max(1, stored):
        raise ModelError(
            f"{where} claims {size:,} bytes and stores {stored:,}, the limit is {_LIMIT_RATIO} times", hint=_HOSTILE
        )
    return size
