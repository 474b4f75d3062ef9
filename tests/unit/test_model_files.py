"""Damaged and mislabeled model files are refused with the true reason, before TensorFlow starts."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path

import h5py
import numpy as np
import pytest
from tiny_models import dense_int8

from edgekit.errors import ModelError, UsageError
from edgekit.tflite.model_files import ModelKind, examine


def weights() -> bytes:
    stored = io.BytesIO()
    with h5py.File(stored, "w") as file:
        file["layers/dense/vars/0"] = np.ones(1000, np.float32)
    return stored.getvalue()


def keras_file(path: Path, **members: bytes) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in {"config.json": b"{}", "model.weights.h5": weights(), **members}.items():
            archive.writestr(name, content)
    return path


def test_kinds(tmp_path: Path) -> None:
    assert examine(keras_file(tmp_path / "m.keras")) is ModelKind.KERAS
    (tmp_path / "m.tflite").write_bytes(dense_int8(weights=np.eye(2), bias=np.zeros(2)))
    assert examine(tmp_path / "m.tflite") is ModelKind.TFLITE
    with h5py.File(tmp_path / "m.h5", "w") as file:
        file.attrs["model_config"] = "{}"
    assert examine(tmp_path / "m.h5") is ModelKind.H5
    (tmp_path / "saved").mkdir()
    # A graph with one node: SavedModel.meta_graphs[0].graph_def.node[0].op = "Const".
    node = b"\x12\x05Const"
    graph = b"\x0a" + bytes([len(node)]) + node
    meta = b"\x12" + bytes([len(graph)]) + graph
    (tmp_path / "saved" / "saved_model.pb").write_bytes(b"\x12" + bytes([len(meta)]) + meta)
    assert examine(tmp_path / "saved") is ModelKind.SAVED_MODEL


def test_truncated_and_empty(tmp_path: Path) -> None:
    whole = keras_file(tmp_path / "m.keras").read_bytes()
    (tmp_path / "m.keras").write_bytes(whole[:-30])
    with pytest.raises(ModelError, match=r"m\.keras is truncated or damaged"):
        examine(tmp_path / "m.keras")
    with h5py.File(tmp_path / "m.h5", "w") as file:
        file["x"] = np.zeros(1000)
    (tmp_path / "m.h5").write_bytes((tmp_path / "m.h5").read_bytes()[:3000])
    with pytest.raises(ModelError, match=r"m\.h5 is truncated or damaged: 3,000 bytes"):
        examine(tmp_path / "m.h5")
    for suffix in ("keras", "h5", "tflite"):
        (tmp_path / f"empty.{suffix}").write_bytes(b"")
        with pytest.raises(ModelError, match="is empty"):
            examine(tmp_path / f"empty.{suffix}")


def test_damaged_member(tmp_path: Path) -> None:
    path = tmp_path / "m.keras"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("config.json", b"{}")
        archive.writestr("model.weights.h5", b"w" * 1000)
    content = bytearray(path.read_bytes())
    content[content.index(b"w" * 100) + 50] ^= 1
    path.write_bytes(content)
    with pytest.raises(ModelError, match=r"its part 'model\.weights\.h5' fails the checksum"):
        examine(path)


def test_other_kind_than_its_name(tmp_path: Path) -> None:
    keras_file(tmp_path / "m.keras").rename(tmp_path / "m.h5")
    with pytest.raises(ModelError, match=r"named \.h5, but its content is a \.keras file"):
        examine(tmp_path / "m.h5")
    (tmp_path / "text.keras").write_text("hello world")
    with pytest.raises(ModelError, match=r"is no \.keras file: it begins with b'hell'"):
        examine(tmp_path / "text.keras")
    (tmp_path / "m.onnx").write_bytes(b"12345678")
    with pytest.raises(ModelError, match="no model by its suffix"):
        examine(tmp_path / "m.onnx")


def test_missing_file_and_empty_folder(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="does not exist"):
        examine(tmp_path / "gone.keras")
    with pytest.raises(ModelError, match=r"has no saved_model\.pb"):
        examine(tmp_path)


def test_weights_without_architecture(tmp_path: Path) -> None:
    with h5py.File(tmp_path / "weights.h5", "w") as file:
        file["kernel"] = np.zeros(3)
    with pytest.raises(ModelError, match="without an architecture"):
        examine(tmp_path / "weights.h5")


def test_zip_of_something_else(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "zip.keras", "w") as archive:
        archive.writestr("readme.txt", "no model")
    with pytest.raises(ModelError, match=r"zip archive without config\.json"):
        examine(tmp_path / "zip.keras")
