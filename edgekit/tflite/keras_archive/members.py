"""The members of a .keras archive: which, where they lead, and what they inflate to."""

from __future__ import annotations

import shutil
import tempfile
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path, PurePosixPath

from edgekit.errors import ModelError

CONFIG_LIMIT_BYTES = 16 * 1024 * 1024
# Keras reads its own three members and leaves this one alone.
PLAN_MEMBER = "edgekit.json"
_TOTAL_LIMIT_BYTES = 2 * 1024 * 1024 * 1024
# Config and zeros compress well; beyond a size nothing honest does so by this factor.
_LIMIT_RATIO, _RATIO_BYTES = 200, 8 * 1024 * 1024
_LIMIT_MEMBERS = 10_000
_NEEDED = ("config.json", "model.weights.h5")
_AGAIN = "save it again with model.save(...), or copy it again and compare the sizes"
_HOSTILE = "do not use this file: an honest model has no such part"
_TOO_LARGE = "do not use this file: no model for a small device is of that size"
_LINK = 0xA


class Archive:
    """An opened archive whose members were checked."""

    def __init__(self, archive: zipfile.ZipFile, folder: Path) -> None:
        self._archive, self._folder = archive, folder

    def config(self) -> bytes:
        """Return config.json."""
        return self._archive.read("config.json")

    def plan(self) -> bytes | None:
        """Return edgekit.json, the quantization plan; None where there is none."""
        return self._archive.read(PLAN_MEMBER) if PLAN_MEMBER in self._archive.namelist() else None

    def weights(self) -> Path:
        """Return a file with model.weights.h5."""
        path = self._folder / "model.weights.h5"
        with self._archive.open("model.weights.h5") as stream, path.open("wb") as copy:
            shutil.copyfileobj(stream, copy)
        return path


@contextmanager
def opened(path: Path) -> Iterator[Archive]:
    """Open a .keras file and check its members.

    Args:
        path: the file.

    Raises:
        ModelError: truncated, damaged, with parts that lead elsewhere, or too large.
    """
    try:
        with zipfile.ZipFile(path) as archive, tempfile.TemporaryDirectory(prefix="edgekit-") as folder:
            _check(path.name, archive.infolist())
            damaged = archive.testzip()
            if damaged is not None:
                raise ModelError(f"{path.name} is damaged: its part {damaged!r} fails the checksum", hint=_AGAIN)
            yield Archive(archive, Path(folder))
    except zipfile.BadZipFile as error:
        raise ModelError(
            f"{path.name} is truncated or damaged: {path.stat().st_size:,} bytes, its zip archive is not whole "
            f"({error})",
            hint=_AGAIN,
        ) from error


def _check(name: str, members: list[zipfile.ZipInfo]) -> None:
    if len(members) > _LIMIT_MEMBERS:
        raise ModelError(f"{name} has {len(members):,} parts, the limit is {_LIMIT_MEMBERS:,}", hint=_TOO_LARGE)
    sizes: dict[str, int] = {}
    for member in members:
        if member.filename in sizes:
            raise ModelError(f"{name} has the part {member.filename!r} twice", hint=_HOSTILE)
        sizes[member.filename] = member.file_size
        _check_path(name, member)
        _check_ratio(name, member)
    missing = [part for part in _NEEDED if part not in sizes]
    if missing:
        raise ModelError(
            f"{name} is a zip archive without {missing[0]}, so no Keras model", hint="save with model.save('m.keras')"
        )
    total = sum(sizes.values())
    if max(sizes["config.json"], sizes.get(PLAN_MEMBER, 0)) > CONFIG_LIMIT_BYTES or total > _TOTAL_LIMIT_BYTES:
        raise ModelError(
            f"{name} inflates to {total:,} bytes (config.json {sizes['config.json']:,}), "
            f"the limits are {_TOTAL_LIMIT_BYTES:,} and {CONFIG_LIMIT_BYTES:,}",
            hint=_TOO_LARGE,
        )


def _check_path(name: str, member: zipfile.ZipInfo) -> None:
    text = member.filename.replace("\\", "/")
    parts = PurePosixPath(text)
    leads_away = parts.is_absolute() or ".." in parts.parts or ":" in text.split("/")[0]
    if leads_away or (member.external_attr >> 28) == _LINK:
        raise ModelError(f"{name} has the part {member.filename!r}, which leads outside of it", hint=_HOSTILE)
    if member.flag_bits & 1:
        raise ModelError(f"{name} has the part {member.filename!r}, which is encrypted", hint=_HOSTILE)


def _check_ratio(name: str, member: zipfile.ZipInfo) -> None:
    if member.file_size > _RATIO_BYTES and member.file_size > _LIMIT_RATIO * max(1, member.compress_size):
        raise ModelError(
            f"{name}: its part {member.filename!r} inflates from {member.compress_size:,} to {member.file_size:,} "
            f"bytes, the limit is {_LIMIT_RATIO} times",
            hint=_TOO_LARGE,
        )
