"""Is a Keras file or a SavedModel fit to be loaded? Asked before TensorFlow sees it.

Keras refuses code in a file, but inflates a config of any size, and libraries that read damaged files crash. So the
questions are asked in a child of its own, with little memory and time: what is in the archive (`members`), what the
config would make (`config`), what the weights are (`weights`), what a graph would run (`saved_model`).
"""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

from edgekit.child_process import child_environment, describe_exit, last_relevant_line, python_command
from edgekit.errors import ModelError

_TIME_LIMIT_S = 120.0
_REFUSED = "do not use this file, or copy it again from where it was made"


def check(path: Path, kind: str) -> None:
    """Check a model before it is loaded.

    Args:
        path: a .keras or .h5 file, or a SavedModel folder.
        kind: which of these, as `model_files.ModelKind` spells it.

    Raises:
        ModelError: damaged, too large when it is unfolded, or with what would run code or touch other files.
    """
    command = [*python_command("edgekit.tflite.keras_archive.child"), kind, str(path.absolute())]
    try:
        done = subprocess.run(command, capture_output=True, timeout=_TIME_LIMIT_S, env=child_environment(), check=False)
    except subprocess.TimeoutExpired as error:
        raise ModelError(f"{path.name}: looking at it did not end within {_TIME_LIMIT_S:g} s", hint=_REFUSED) from error
    if done.returncode != 0 or not done.stdout:
        said = last_relevant_line(done.stderr.decode("utf-8", errors="replace"))
        ended = describe_exit(done.returncode)
        raise ModelError(
            f"{path.name}: the process that looks at it {ended}{f'; its last words: {said}' if said else ''}",
            hint=_REFUSED,
        )
    answer = json.loads(done.stdout)
    if answer:
        raise ModelError(answer["what"], hint=answer["hint"])
