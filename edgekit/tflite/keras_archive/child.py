"""The child that looks at a model file: its arguments are kind and path, its answer is one JSON object on stdout.

The object is empty where the file is fit to be loaded, else `{"what", "hint"}`.
"""

from __future__ import annotations

import json
import os
import resource
import sys
from pathlib import Path

from edgekit.errors import ModelError
from edgekit.tflite.keras_archive import config, members, saved_model, weights
from edgekit.tflite.quantization_plan import QuantizationPlan

_MEMORY_BYTES = 900 * 1024 * 1024
_AGAIN = "save it again with model.save(...), or copy it again and compare the sizes"


def look(kind: str, path: Path) -> None:
    """Check a file.

    Args:
        kind: ``.keras``, ``.h5`` or ``SavedModel``.
        path: of the file or folder.

    Raises:
        ModelError: it is not fit to be loaded.
    """
    if kind == "SavedModel":
        saved_model.check(path)
        return
    if kind == ".h5":
        text = weights.model_config(path)
        elements = weights.check(path, path.name)
    else:
        with members.opened(path) as archive:
            text, plan = archive.config(), archive.plan()
            if plan is not None:
                QuantizationPlan.from_json(json.loads(plan))
            elements = weights.check(archive.weights(), f"{path.name}: model.weights.h5")
    config.check(text, path.name, elements)


def main() -> None:
    """Look at the file that the arguments name."""
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_DATA, (_MEMORY_BYTES, _MEMORY_BYTES))
    kind, name = sys.argv[1:]
    # A filter that a file asks for would be loaded from there.
    os.environ["HDF5_PLUGIN_PATH"] = os.devnull
    answer: dict[str, str] = {}
    try:
        look(kind, Path(name))
    except ModelError as error:
        answer = {"what": error.what, "hint": error.hint}
    except (MemoryError, RecursionError) as error:
        what = f"{Path(name).name}: looking at it takes more than {_MEMORY_BYTES:,} bytes ({type(error).__name__})"
        answer = {"what": what, "hint": "do not use this file: no model for a small device is of that size"}
    # The libraries raise what the damage hits.
    except Exception as error:  # noqa: BLE001
        answer = {"what": f"{Path(name).name} is damaged: {error}", "hint": _AGAIN}
    sys.stdout.write(json.dumps(answer))


if __name__ == "__main__":
    main()
