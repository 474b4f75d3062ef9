"""The float conversion of a model; runs in the child of `edgekit.worker.Worker`, as the conversion does."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from edgekit.progress import Progress
from edgekit.tflite import convert_trace


def convert_float(request: dict[str, Any], progress: Progress) -> dict[str, Any]:
    """Convert without quantization.

    Args:
        request: "model": path; "objects": module with custom layers, or None; "folder": with samples.npy, takes the
            results.
        progress: told the steps.

    Returns:
        Nothing; in the folder: float.tflite, and float.npy with the outputs that the framework computes.
    """
    folder, path = Path(request["folder"]), Path(request["model"])
    samples = np.load(folder / "samples.npy")
    progress(f"running {path.name} in float")
    traced = convert_trace.trace(path, samples, request["objects"])
    np.save(folder / "float.npy", traced.run(samples))
    progress(f"converting {path.name} without quantization")
    with traced.converter() as converter:
        (folder / "float.tflite").write_bytes(converter.convert())
    return {}
