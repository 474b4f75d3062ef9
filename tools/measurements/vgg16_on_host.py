"""VGG-16 with nine tenths of its weights zero, built and run on this computer: too large for the bench."""

from __future__ import annotations

import time
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
from cells import path_of

from edgekit import targets, toolchains
from edgekit.deploy import emulate_host
from edgekit.engine import emit_aot
from edgekit.engine.options import EngineOptions, Optimize
from edgekit.errors import EdgeKitError
from edgekit.harness.measure import collect
from edgekit.progress import silent
from edgekit.tflite import graph, interpreters

KEY = "vgg16 host flash"
_TARGET, _LIMIT_S = "host", 1800


def measure() -> dict[str, Any]:
    """Build it for the fewest bytes, run one image, and compare every output byte with TFLM's.

    Returns:
        "stored_bytes": of all constants; "dense_bytes": of those of the flatbuffer; "arena_bytes"; "equal"; "seconds".
        Or "reason" and "failed".
    """
    began = time.monotonic()
    try:
        found = _measured(path_of("vgg16").read_bytes())
    except EdgeKitError as error:
        return {"reason": error.what, "failed": True}
    return {**found, "seconds": round(time.monotonic() - began, 1)}


def _measured(flatbuffer: bytes) -> dict[str, Any]:
    target, model = targets.load(_TARGET), graph.parse(flatbuffer)
    size = sum(model.tensors[index].size_bytes for index in model.inputs)
    image = np.random.default_rng(16).integers(-128, 128, size, np.int8).tobytes()
    sources = emit_aot.emit(model, "vgg16", options=EngineOptions(target.features, Optimize.FLASH))
    with TemporaryDirectory(prefix="edgekit-") as folder:
        firmware = toolchains.load(target.toolchain).compile(sources, target, Path(folder))
        with emulate_host.open(firmware) as link:
            (output,) = collect(link, firmware, (image,), silent)
    # LiteRT's reference kernels round once in FULLY_CONNECTED: `edgekit.tflite.known_differences`.
    judge = interpreters.Interpreter.TFLM
    (expected,) = interpreters.run(flatbuffer, (image,), judge, timeout_s=_LIMIT_S).outputs
    if output != expected:
        return {"reason": "an output byte differs from that of TFLM", "failed": True}
    # Outputs that are all the same would prove nothing.
    spread = len(set(output))
    return {
        "stored_bytes": sources.weights_bytes,
        "dense_bytes": sum(tensor.size_bytes for tensor in model.tensors if tensor.data is not None),
        "arena_bytes": sources.arena_bytes,
        "equal": spread > 1,
    }
