"""Stage results by content hash, so that an unchanged build takes a second instead of minutes.

An entry is one file: the sha256 of the rest, then an archive of what the stage made. It is checked whenever it is
read; a damaged entry counts as none. Keys hold everything that a result depends on, EdgeKit's own source included.
"""

from __future__ import annotations

import functools
import hashlib
import io
import os
import shutil
import time
import zipfile
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from edgekit.atomic import write_atomically
from edgekit.firmware_files import firmware_path

Files = Mapping[str, bytes]

_DIGEST_BYTES = 32
_LIMIT_BYTES = 1_000_000_000
# Who was interrupted two weeks ago does not go on.
_UNFINISHED_SECONDS = 14 * 86400


@dataclass(frozen=True, slots=True)
class Cache:
    """A folder of stage results.

    Attributes:
        folder: where entries lie; None keeps nothing and finds nothing.
    """

    folder: Path | None

    def stage(self, name: str, parts: Iterable[bytes | str], compute: Callable[[], Files]) -> Files:
        """Return what a stage made of these inputs, from the cache when it is there.

        Two processes that want the same entry wait for each other: the second finds the first one's result.

        Args:
            name: the stage, e.g. ``"convert"``.
            parts: everything that the result depends on.
            compute: makes the result; what it raises is never kept.

        Returns:
            File name -> content.
        """
        if self.folder is None:
            return compute()
        path = self.folder / name / key_of(parts)
        found = _read(path)
        if found is not None:
            return found
        from filelock import FileLock

        path.parent.mkdir(parents=True, exist_ok=True)
        with FileLock(path.with_suffix(".lock")):
            found = _read(path)
            if found is None:
                found = compute()
                archive = pack(found)
                write_atomically(path, hashlib.sha256(archive).digest() + archive)
                _trim(self.folder)
        path.with_suffix(".lock").unlink(missing_ok=True)
        return found

    def unfinished(self, name: str, parts: Iterable[bytes | str]) -> Path | None:
        """Return the folder in which a long stage may keep what it has done so far; None where nothing is kept."""
        return None if self.folder is None else self.folder / "unfinished" / name / key_of(parts)


def user_cache() -> Cache:
    """Return the cache of this user; the folder named by the variable EDGEKIT_CACHE wins over the system's place."""
    chosen = os.environ.get("EDGEKIT_CACHE")
    if chosen:
        return Cache(Path(chosen))
    import platformdirs

    return Cache(Path(platformdirs.user_cache_dir("edgekit", appauthor=False)))


def key_of(parts: Iterable[bytes | str]) -> str:
    """Hash parts so that no two lists of parts share a key.

    Example:
        >>> key_of(["ab", "c"]) == key_of(["a", "bc"])
        False
    """
    digest = hashlib.sha256()
    for part in parts:
        data = part.encode() if isinstance(part, str) else part
        digest.update(len(data).to_bytes(8, "little"))
        digest.update(data)
    return digest.hexdigest()


@functools.cache
def own_source() -> str:
    """Return the hash of EdgeKit's own Python, target files and firmware: a new version never meets old results."""
    package = Path(__file__).resolve().parent
    digest = hashlib.sha256()
    for root in (package, firmware_path()):
        for path in sorted(root.rglob("*")):
            if path.is_file() and "__pycache__" not in path.parts:
                digest.update(f"{path.relative_to(root).as_posix()}\0".encode())
                digest.update(hashlib.sha256(path.read_bytes()).digest())
    return digest.hexdigest()


def pack(files: Files) -> bytes:
    """Return a ZIP archive of the files; equal files give equal bytes (no dates, sorted names).

    Example:
        >>> dict(unpack(pack({"b": b"2", "a": b"1"})))
        {'a': b'1', 'b': b'2'}
    """
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name in sorted(files):
            archive.writestr(zipfile.ZipInfo(name), files[name])
    return buffer.getvalue()


def unpack(archive: bytes) -> Files:
    """Return the files of an archive made by `pack`."""
    with zipfile.ZipFile(io.BytesIO(archive)) as opened:
        return {name: opened.read(name) for name in opened.namelist()}


def _read(path: Path) -> Files | None:
    try:
        content = path.read_bytes()
    except OSError:
        return None
    archive = content[_DIGEST_BYTES:]
    if hashlib.sha256(archive).digest() != content[:_DIGEST_BYTES]:
        return None
    # Marks the entry as used: the oldest ones go first when the cache is full.
    os.utime(path)
    return unpack(archive)


def _trim(folder: Path) -> None:
    for unfinished in folder.glob("unfinished/*/*"):
        if time.time() - unfinished.stat().st_mtime > _UNFINISHED_SECONDS:
            shutil.rmtree(unfinished, ignore_errors=True)
    entries = [(path.stat(), path) for path in folder.glob("*/*") if path.suffix != ".lock" and path.is_file()]
    total = sum(stat.st_size for stat, _ in entries)
    for stat, path in sorted(entries, key=lambda entry: entry[0].st_mtime):
        if total <= _LIMIT_BYTES:
            return
        path.unlink(missing_ok=True)
        total -= stat.st_size
