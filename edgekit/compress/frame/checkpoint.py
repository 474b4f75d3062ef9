"""The state of a training in a file, so that it can go on after a kill."""

from __future__ import annotations

import io
import re
import zipfile
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import keras
import numpy as np
from numpy.typing import NDArray

from edgekit.atomic import write_atomically

if TYPE_CHECKING:
    from edgekit.compress.frame.training import Hook


class Checkpoint:
    """Keeps the variables of one training after each epoch.

    Args:
        folder: where the file lies; None keeps nothing.
        name: of the training, unique in the folder.
        variables: of model and optimizer, in a fixed order.
        hooks: whose states are kept too.
    """

    def __init__(
        self, folder: Path | None, name: str, variables: Sequence[keras.Variable], hooks: Sequence[Hook]
    ) -> None:
        self._path = None if folder is None else folder / f"{re.sub('[^a-z0-9]+', '-', name.lower())}.npz"
        self._variables, self._hooks = variables, hooks

    def restore(self) -> int:
        """Set variables and hooks to the last state; return the number of epochs that are done, 0 without a file."""
        if self._path is None or not self._path.is_file():
            return 0
        try:
            with np.load(self._path, allow_pickle=False) as archive:
                arrays = dict(archive)
        # A damaged file costs the time of the training, nothing else.
        except (OSError, ValueError, zipfile.BadZipFile):
            return 0
        states = self._states(arrays)
        if states is None:
            return 0
        for index, variable in enumerate(self._variables):
            variable.assign(arrays[f"variable_{index}"])
        for hook, state in zip(self._hooks, states, strict=True):
            hook.restore(state)
        return int(arrays["epochs"])

    def save(self, epochs: int) -> None:
        """Write the state after `epochs` epochs; a kill meanwhile leaves the state before."""
        if self._path is None:
            return
        arrays: dict[str, Any] = {"epochs": np.int64(epochs)}
        for index, variable in enumerate(self._variables):
            arrays[f"variable_{index}"] = keras.ops.convert_to_numpy(variable)
        for index, hook in enumerate(self._hooks):
            arrays |= {f"hook_{index}_{key}": value for key, value in hook.state().items()}
        file = io.BytesIO()
        np.savez(file, **arrays)
        write_atomically(self._path, file.getvalue())

    def _states(self, arrays: dict[str, NDArray[Any]]) -> list[dict[str, NDArray[Any]]] | None:
        """Return each hook's state; None where the file belongs to another training."""
        for index, variable in enumerate(self._variables):
            kept = arrays.get(f"variable_{index}")
            if kept is None or kept.shape != tuple(variable.shape):
                return None
        prefixes = [f"hook_{index}_" for index in range(len(self._hooks))]
        return [
            {key.removeprefix(prefix): value for key, value in arrays.items() if key.startswith(prefix)}
            for prefix in prefixes
        ]
