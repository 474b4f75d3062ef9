"""Golden inputs and outputs: what a device is given, and what it must answer."""

from __future__ import annotations

import io
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from edgekit.cache import pack, unpack
from edgekit.errors import UntrustworthyError

if TYPE_CHECKING:
    from edgekit.data import Data
    from edgekit.tflite.graph import Graph

_SEED = 20


def golden_inputs(graph: Graph, data: Data | None, samples: int) -> tuple[tuple[bytes, ...], str]:
    """Choose inputs for the proof and for the device.

    Args:
        graph: the model; its input tensors say shape, type and scale.
        data: samples of the user; None or more than one model input gives seeded random inputs.
        samples: how many inputs; fewer when the data has fewer.

    Returns:
        Per inference the bytes of all inputs; and where they came from: "test data", "training data", "random inputs".

    Raises:
        DataError: the data does not fit the model's input.
    """
    if data is None or len(graph.inputs) != 1:
        return _random_inputs(graph, samples), "random inputs"
    from edgekit.tflite.quantize import quantize_input

    chosen, origin = spread_samples(data, samples)
    return quantize_input(graph, chosen), origin


def spread_samples(data: Data, samples: int) -> tuple[NDArray[np.float32], str]:
    """Choose samples of the test part, of the training part where there is no other.

    Returns:
        float32, shape (n, *input), n at most `samples`; and "test data" or "training data".
    """
    values = data.x_train if data.x_test is None else data.x_test
    origin = "training data" if data.x_test is None else "test data"
    # Spread over the whole set: data files are often sorted by class.
    return values[np.linspace(0, len(values) - 1, min(samples, len(values))).astype(int)], origin


def _random_inputs(graph: Graph, samples: int) -> tuple[bytes, ...]:
    if any(graph.tensors[index].dtype in ("int32", "int64") for index in graph.inputs):
        # Ids: any number beyond the table would be a read outside of it.
        from edgekit.tflite.shrink.inputs import random_inputs

        return random_inputs(graph, samples)
    random = np.random.default_rng(_SEED)
    sizes = [graph.tensors[index].size_bytes for index in graph.inputs]
    return tuple(random.bytes(sum(sizes)) for _ in range(samples))


def pack_golden(inputs: tuple[bytes, ...], outputs: tuple[bytes, ...]) -> bytes:
    """Return an .npz file with `inputs` and `outputs`, uint8, shape (n, bytes); equal content gives equal bytes."""
    return pack({"inputs.npy": _npy(inputs), "outputs.npy": _npy(outputs)})


def unpack_golden(archive: bytes) -> tuple[tuple[bytes, ...], tuple[bytes, ...]]:
    """Return inputs and outputs of a file that `pack_golden` made.

    Raises:
        UntrustworthyError: the file is damaged.
    """
    try:
        files = unpack(archive)
        return _rows(files["inputs.npy"]), _rows(files["outputs.npy"])
    except (KeyError, ValueError, OSError, EOFError) as error:
        raise UntrustworthyError(
            f"the golden inputs are damaged: {error}", hint="build again: `edgekit build` writes them anew"
        ) from error


def read_golden(path: Path) -> tuple[tuple[bytes, ...], tuple[bytes, ...]]:
    """Read inputs and outputs from a build folder; see `unpack_golden`."""
    return unpack_golden(path.read_bytes())


def _npy(rows: tuple[bytes, ...]) -> bytes:
    array = np.frombuffer(b"".join(rows), np.uint8).reshape(len(rows), -1)
    buffer = io.BytesIO()
    np.lib.format.write_array(buffer, array, allow_pickle=False)
    return buffer.getvalue()


def _rows(content: bytes) -> tuple[bytes, ...]:
    array: NDArray[np.uint8] = np.lib.format.read_array(io.BytesIO(content), allow_pickle=False)
    return tuple(row.tobytes() for row in array)
