"""Where samples come from: an .npz file, or a function that returns `Data`."""

from __future__ import annotations

import importlib
import sys
import zipfile
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edgekit.errors import DataError

_FORM = "an .npz holds x_train, y_train, x_test, y_test; or only x for calibration"


@dataclass(frozen=True, eq=False)
class Data:
    """Samples for calibration, training and metrics.

    Attributes:
        x_train: float32, shape (n, *input); calibration and fine-tuning come from here only.
        y_train: labels for training, first axis n; None where there are none.
        x_test: float32, shape (m, *input); metrics and agreement; None where only calibration data was given.
        y_test: labels for metrics, first axis m; None where there are none.
        labels: class names in the order of the model's outputs; empty where there are none.
    """

    x_train: NDArray[np.float32]
    y_train: NDArray[np.generic] | None = None
    x_test: NDArray[np.float32] | None = None
    y_test: NDArray[np.generic] | None = None
    labels: tuple[str, ...] = ()


def load(spec: str | Path, base: Path) -> Data:
    """Load and check samples.

    Args:
        spec: path of an .npz file, or "module:function" (the function takes nothing and returns `Data`).
        base: folder that relative paths and modules start from.

    Returns:
        Data that passed `validate`.

    Raises:
        DataError: missing, unreadable, or not valid; the message names the array.
    """
    text = str(spec)
    if text.endswith(".npz"):
        return validate(_from_npz(base / text))
    if ":" not in text:
        raise DataError(f"data {text!r}: expected an .npz file or module:function", hint=_FORM)
    data = import_function(text, base, "data")
    try:
        made = data()
    except DataError:
        raise
    # The function is the user's: whatever it raises is told, not thrown.
    except Exception as error:
        raise DataError(f"{text} failed: {type(error).__name__}: {error}", hint="run it by itself") from error
    if not isinstance(made, Data):
        raise DataError(f"{text} returned {type(made).__name__}, expected edgekit.Data", hint="return Data(...)")
    return validate(made)


def import_function(spec: str, base: Path, what: str) -> Any:
    """Return the function that "module:function" names, modules in `base` first.

    Args:
        spec: "module:function".
        base: folder put first on the import path while importing.
        what: what it is for; the message begins with it.

    Raises:
        DataError: no such module or function, or importing it failed.
    """
    module_name, _, name = spec.partition(":")
    folder = str(base.resolve())
    known = sys.modules.get(module_name)
    if known is not None and (base / f"{module_name.replace('.', '/')}.py").is_file():
        # Two projects may each have a data.py; the one in `base` is meant.
        del sys.modules[module_name]
    sys.path.insert(0, folder)
    importlib.invalidate_caches()
    try:
        function = getattr(importlib.import_module(module_name), name, None)
    # Importing runs the user's module, which can raise anything.
    except Exception as error:
        raise DataError(
            f"{what} {spec!r}: importing {module_name!r} failed: {type(error).__name__}: {error}",
            hint="module:function is looked up in the folder of the settings or model, then in the environment",
        ) from error
    finally:
        sys.path.remove(folder)
    if not callable(function):
        raise DataError(f"{what} {spec!r}: {module_name!r} has no function {name!r}", hint="check the name")
    return function


def validate(data: Data) -> Data:
    """Check samples and bring them to float32.

    Args:
        data: any samples.

    Returns:
        The same samples, x as float32.

    Raises:
        DataError: NaN or infinity (array and first index are named), shapes or counts that do not match.
    """
    x_train = _samples("x_train", data.x_train)
    x_test = None if data.x_test is None else _samples("x_test", data.x_test)
    if x_test is not None and x_test.shape[1:] != x_train.shape[1:]:
        raise DataError(
            f"x_test has samples of shape {list(x_test.shape[1:])}, x_train of {list(x_train.shape[1:])}",
            hint="both must have the model's input shape",
        )
    if data.y_test is not None and x_test is None:
        raise DataError("y_test came without x_test", hint=_FORM)
    y_train = _labels("y_train", data.y_train, x_train)
    y_test = None if x_test is None else _labels("y_test", data.y_test, x_test)
    return Data(x_train, y_train, x_test, y_test, tuple(str(label) for label in data.labels))


def _from_npz(path: Path) -> Data:
    arrays = _read_npz(path)
    if "x" in arrays and "x_train" not in arrays:
        arrays["x_train"] = arrays.pop("x")
    if "x_train" not in arrays:
        found = ", ".join(arrays) or "nothing"
        raise DataError(f"{path.name} has no x_train and no x; it holds {found}", hint=_FORM)
    for name in ("x_train", "x_test"):
        if name in arrays and arrays[name].dtype == np.int8:
            arrays[name] = _dequantize(path.name, name, arrays)
    labels = tuple(str(label) for label in arrays["labels"].ravel()) if "labels" in arrays else ()
    return Data(arrays["x_train"], arrays.get("y_train"), arrays.get("x_test"), arrays.get("y_test"), labels)


def _read_npz(path: Path) -> dict[str, NDArray[Any]]:
    try:
        # Pickles run code when they are read; numbers and text need none.
        archive = np.load(path, allow_pickle=False)
        if not isinstance(archive, np.lib.npyio.NpzFile):
            raise DataError(f"{path.name} holds one array, expected an .npz archive", hint=_FORM)
        with archive:
            return {name: archive[name] for name in archive.files}
    except FileNotFoundError as error:
        raise DataError(f"data file {path} does not exist", hint=_FORM) from error
    except ValueError as error:
        if "allow_pickle" in str(error) or "pickle" in str(error).lower():
            raise DataError(
                f"{path.name} holds Python objects (a pickle), or is no .npz file",
                hint="save arrays of numbers with np.savez; a pickle could run code, so it is not read",
            ) from error
        raise DataError(f"{path.name} is damaged: {error}", hint="write it again with np.savez") from error
    except (OSError, zipfile.BadZipFile, zlib.error, EOFError, KeyError) as error:
        raise DataError(
            f"{path.name} is damaged or no .npz archive ({error})", hint="write it again with np.savez"
        ) from error


def _dequantize(file: str, name: str, arrays: dict[str, NDArray[Any]]) -> NDArray[np.float32]:
    if "x_scale" not in arrays or "x_zero_point" not in arrays:
        raise DataError(
            f"{file}: {name} is int8 without x_scale and x_zero_point",
            hint="add both (real = x_scale * (x - x_zero_point)), or store float32",
        )
    scale, zero_point = float(arrays["x_scale"].item()), int(arrays["x_zero_point"].item())
    if not np.isfinite(scale) or scale <= 0:
        raise DataError(f"{file}: x_scale is {scale}, expected a number above 0", hint="store the input's scale")
    return (np.float32(scale) * (arrays[name].astype(np.int16) - zero_point).astype(np.float32)).astype(np.float32)


def _samples(name: str, values: Any) -> NDArray[np.float32]:
    array = np.asarray(values)
    if array.dtype.kind not in "fiu":
        raise DataError(f"{name} has dtype {array.dtype}, expected numbers", hint="store float32")
    if array.ndim < 2 or array.shape[0] == 0:
        raise DataError(
            f"{name} has shape {list(array.shape)}, expected (samples, *input shape) with at least one sample",
            hint="the first axis counts samples",
        )
    with np.errstate(over="ignore"):
        samples = np.ascontiguousarray(array, dtype=np.float32)
    _require_finite(name, samples)
    return samples


def _labels(name: str, values: Any, x: NDArray[np.float32]) -> NDArray[np.generic] | None:
    if values is None:
        return None
    labels = np.asarray(values)
    if labels.dtype.kind not in "fiub":
        raise DataError(f"{name} has dtype {labels.dtype}, expected numbers", hint="store class indices")
    if labels.ndim == 0 or len(labels) != len(x):
        count = len(labels) if labels.ndim else 0
        raise DataError(f"{name} has {count} labels for {len(x)} samples", hint="one label for each sample, same order")
    if labels.dtype.kind == "f":
        _require_finite(name, labels)
    return labels


def _require_finite(name: str, values: NDArray[Any]) -> None:
    finite = np.isfinite(values)
    if finite.all():
        return
    first = tuple(int(i) for i in np.argwhere(~finite)[0])
    kind = "NaN" if np.isnan(values[first]) else "infinity"
    count = int(values.size - np.count_nonzero(finite))
    raise DataError(
        f"{name} has {kind} at index {first} ({count} values are not finite)",
        hint="remove or repair these samples: one NaN spoils every scale of the model",
    )
