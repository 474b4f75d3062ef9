"""The oldest Keras that may load a file: older ones run code that a hostile model brings along."""

from __future__ import annotations

import importlib.metadata
import re

from edgekit.errors import ToolchainError

# pyproject.toml has the same floor.
KERAS_FLOOR = (3, 15, 1)


def version_tuple(version: str) -> tuple[int, ...]:
    """Return the leading numbers of a version, for comparison.

    Example:
        >>> version_tuple("3.15.1rc2") < KERAS_FLOOR, version_tuple("3.9") < KERAS_FLOOR
        (False, True)
    """
    return tuple(int(part) for part in re.findall(r"\d+", version)[:3])


def require_safe_keras() -> None:
    """Refuse to go on with an older Keras; asked in the child, since an environment may change after it was made.

    Raises:
        ToolchainError: the installed Keras is older than the floor.
    """
    version = importlib.metadata.version("keras")
    if version_tuple(version) < KERAS_FLOOR:
        floor = ".".join(map(str, KERAS_FLOOR))
        raise ToolchainError(
            f"Keras {version} is installed, expected {floor} or newer: before it, a model file can run code",
            hint=f"pip install --upgrade 'keras>={floor}'",
        )
