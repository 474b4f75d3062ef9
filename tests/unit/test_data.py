"""Samples: every way in which a data file can be wrong ends in one clear error."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from edgekit.data import Data, load, validate
from edgekit.errors import DataError

X = np.arange(12, dtype=np.float32).reshape(4, 3)


def saved(folder: Path, **arrays: Any) -> Path:
    np.savez(folder / "data.npz", **arrays)
    return folder


def test_all_four_arrays_and_labels(tmp_path: Path) -> None:
    y = np.array([0, 1, 0, 1])
    base = saved(tmp_path, x_train=X.astype(np.float64), y_train=y, x_test=X[:2], y_test=y[:2], labels=["a", "b"])
    data = load("data.npz", base)
    assert data.x_train.dtype == np.float32 and data.labels == ("a", "b")
    assert data.x_test is not None and data.y_test is not None and len(data.x_test) == len(data.y_test) == 2


def test_only_x_is_for_calibration(tmp_path: Path) -> None:
    data = load(Path("data.npz"), saved(tmp_path, x=X))
    assert np.array_equal(data.x_train, X) and data.x_test is None and data.y_train is None


def test_int8_features_are_dequantized(tmp_path: Path) -> None:
    stored = np.array([[-128, 0], [1, 127]], np.int8)
    data = load("data.npz", saved(tmp_path, x_train=stored, x_scale=0.5, x_zero_point=-1))
    assert data.x_train.tolist() == [[-63.5, 0.5], [1.0, 64.0]]


@pytest.mark.parametrize(
    ("arrays", "message"),
    [
        ({"x_train": np.array([[0, 1], [np.nan, 2]])}, r"x_train has NaN at index \(1, 0\) \(1 values"),
        ({"x": X, "x_test": np.array([[0, 1, np.inf]])}, r"x_test has infinity at index \(0, 2\)"),
        ({"x": np.full((2, 2), 1e300)}, r"x_train has infinity at index \(0, 0\) \(4 values"),
        ({"x_train": X, "y_train": np.array([0, 1])}, "y_train has 2 labels for 4 samples"),
        ({"x_train": X, "y_train": np.array([0, 1, np.nan, 1])}, r"y_train has NaN at index \(2,\)"),
        ({"x_train": X, "x_test": X[:, :2]}, r"x_test has samples of shape \[2\], x_train of \[3\]"),
        ({"x_train": X, "y_test": np.zeros(4)}, "y_test came without x_test"),
        ({"x_test": X}, "has no x_train and no x; it holds x_test"),
        ({"x": X[:0]}, r"x_train has shape \[0, 3\]"),
        ({"x": X[0]}, r"x_train has shape \[3\]"),
        ({"x": np.array([["a"]])}, "x_train has dtype <U1, expected numbers"),
        ({"x": X.astype(np.int8)}, "x_train is int8 without x_scale and x_zero_point"),
        ({"x": X.astype(np.int8), "x_scale": -1.0, "x_zero_point": 0}, "x_scale is -1.0"),
        ({"x": np.array([[object()]], dtype=object)}, "holds Python objects"),
    ],
)
def test_bad_arrays(arrays: dict[str, Any], message: str, tmp_path: Path) -> None:
    with pytest.raises(DataError, match=message) as caught:
        load("data.npz", saved(tmp_path, **arrays))
    assert caught.value.hint and caught.value.exit_code == 2


def test_files_that_are_no_npz(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"gone\.npz does not exist"):
        load("gone.npz", tmp_path)
    whole = saved(tmp_path, x=X) / "data.npz"
    for content in (b"", b"text", whole.read_bytes()[:100]):
        (tmp_path / "bad.npz").write_bytes(content)
        with pytest.raises(DataError, match=r"bad\.npz"):
            load("bad.npz", tmp_path)
    np.save(tmp_path / "one.npy", X)
    (tmp_path / "one.npy").rename(tmp_path / "one.npz")
    with pytest.raises(DataError, match="holds one array"):
        load("one.npz", tmp_path)


def test_damaged_bytes_inside_an_npz(tmp_path: Path) -> None:
    path = saved(tmp_path, x=X) / "data.npz"
    content = bytearray(path.read_bytes())
    content[content.index(X.tobytes()) + 3] ^= 0x55
    path.write_bytes(content)
    with pytest.raises(DataError, match=r"data\.npz is damaged"):
        load("data.npz", tmp_path)


def test_function_of_a_module_beside_the_model(tmp_path: Path) -> None:
    for number in (1, 2):
        folder = tmp_path / str(number)
        folder.mkdir()
        (folder / "my_samples.py").write_text(
            "import numpy as np\nfrom edgekit import Data\n"
            f"def make(): return Data(np.full((2, 3), {number}, np.float32))\n"
            "def wrong(): return 3\n"
            "def fails(): raise RuntimeError('no disk')\n"
        )
        assert load("my_samples:make", folder).x_train[0, 0] == number
    for spec, message in (
        ("my_samples:absent", "has no function 'absent'"),
        ("absent_module:make", "importing 'absent_module' failed"),
        ("my_samples:wrong", "returned int, expected edgekit.Data"),
        ("my_samples:fails", "RuntimeError: no disk"),
        ("samples.csv", r"expected an \.npz file or module:function"),
    ):
        with pytest.raises(DataError, match=message):
            load(spec, tmp_path / "1")


def test_validate_returns_contiguous_float32() -> None:
    data = validate(Data(np.asfortranarray(X.astype(np.float64))))  # type: ignore[arg-type]
    assert data.x_train.flags["C_CONTIGUOUS"] and data.x_train.dtype == np.float32
