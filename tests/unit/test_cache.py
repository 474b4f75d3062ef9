"""Stage results: kept by content, checked when read, never half written, never a failure."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edgekit import cache
from edgekit.cache import Cache, key_of, pack, unpack

FILES = {"model.tflite": bytes(range(256)), "facts.json": b"{}"}


class Stage:
    """Counts how often it is computed."""

    def __init__(self) -> None:
        self.calls = 0

    def __call__(self) -> dict[str, bytes]:
        self.calls += 1
        return FILES


def test_second_time_is_not_computed(tmp_path: Path) -> None:
    stage, kept = Stage(), Cache(tmp_path)
    first, second = (kept.stage("convert", ("a", b"b"), stage) for _ in range(2))
    assert stage.calls == 1
    assert first == second == FILES


def test_other_parts_or_stage_are_computed(tmp_path: Path) -> None:
    stage, kept = Stage(), Cache(tmp_path)
    kept.stage("convert", ("a",), stage)
    kept.stage("convert", ("b",), stage)
    kept.stage("prove", ("a",), stage)
    assert stage.calls == 3


@pytest.mark.parametrize("damage", ["flip", "cut", "empty"])
def test_damaged_entry_is_computed_again_and_mended(tmp_path: Path, damage: str) -> None:
    stage, kept = Stage(), Cache(tmp_path)
    kept.stage("convert", ("a",), stage)
    (entry,) = (tmp_path / "convert").iterdir()
    content = bytearray(entry.read_bytes())
    content[-100] ^= 1
    entry.write_bytes({"flip": bytes(content), "cut": bytes(content[:-1]), "empty": b""}[damage])
    assert kept.stage("convert", ("a",), stage) == FILES
    assert kept.stage("convert", ("a",), stage) == FILES
    assert stage.calls == 2


def test_failure_is_not_kept(tmp_path: Path) -> None:
    def fails() -> dict[str, bytes]:
        raise RuntimeError("no")

    with pytest.raises(RuntimeError):
        Cache(tmp_path).stage("convert", ("a",), fails)
    stage = Stage()
    assert Cache(tmp_path).stage("convert", ("a",), stage) == FILES
    assert stage.calls == 1


def test_no_folder_keeps_nothing() -> None:
    stage = Stage()
    Cache(None).stage("convert", ("a",), stage)
    Cache(None).stage("convert", ("a",), stage)
    assert stage.calls == 2


def test_two_at_once_compute_once(tmp_path: Path) -> None:
    started, release = threading.Event(), threading.Event()
    calls: list[int] = []

    def slow() -> dict[str, bytes]:
        calls.append(1)
        started.set()
        release.wait(10)
        return FILES

    results: list[object] = []
    threads = [
        threading.Thread(target=lambda: results.append(Cache(tmp_path).stage("s", ("a",), slow))) for _ in range(2)
    ]
    threads[0].start()
    assert started.wait(10)
    threads[1].start()
    release.set()
    for thread in threads:
        thread.join(20)
    assert results == [FILES, FILES]
    assert len(calls) == 1


def test_full_cache_drops_the_oldest(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cache, "_LIMIT_BYTES", 3000)
    kept = Cache(tmp_path)
    for part in "abcdef":
        kept.stage("convert", (part,), lambda: {"x": bytes(1000)})
    stage = Stage()
    kept.stage("convert", ("f",), stage)
    assert stage.calls == 0
    kept.stage("convert", ("a",), stage)
    assert stage.calls == 1


@given(st.lists(st.binary(max_size=8), max_size=4), st.lists(st.binary(max_size=8), max_size=4))
def test_keys_are_equal_only_for_equal_parts(first: list[bytes], second: list[bytes]) -> None:
    assert (key_of(first) == key_of(second)) == (first == second)


def test_archive_has_the_same_bytes_for_the_same_files() -> None:
    assert pack({"a": b"1", "b": b"2"}) == pack({"b": b"2", "a": b"1"})
    assert dict(unpack(pack(FILES))) == FILES


def test_variable_chooses_the_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EDGEKIT_CACHE", str(tmp_path))
    assert cache.user_cache() == Cache(tmp_path)
