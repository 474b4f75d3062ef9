"""The child that runs many models: reads one after another from stdin, says after each stage that it lived.

A model comes as 1 byte that says who runs it, 4 bytes of length and its bytes. The answer is `.` when the interpreter
ran it, `-` when it refused.
"""

from __future__ import annotations

import os
import resource
import struct
import sys
from typing import Any

import numpy as np

from edgekit.tflite import interpreter_child

_INTERPRETERS = {b"t": "tflm", b"r": "litert_reference", b"l": "litert", b"x": "litert_xnnpack"}
_ARENA_BYTES = 4 << 20
_MEMORY_BYTES = 4 << 30


def _inputs(shapes: list[tuple[tuple[int, ...], Any]]) -> list[np.ndarray[Any, Any]]:
    rng = np.random.default_rng(1)
    values = []
    for shape, dtype in shapes:
        size = int(np.prod(shape, dtype=np.int64)) * np.dtype(dtype).itemsize
        if np.issubdtype(dtype, np.floating):
            values.append(rng.normal(0, 3, shape).astype(dtype))
        elif np.dtype(dtype) == np.bool_:
            values.append(rng.integers(0, 2, shape).astype(np.bool_))
        elif np.dtype(dtype).itemsize >= 4:
            # Indices, mostly: some of them inside.
            values.append(rng.integers(-1, 6, shape).astype(dtype))
        else:
            values.append(np.frombuffer(rng.bytes(size), dtype).reshape(shape))
    return values


def _runs(interpreter: str, flatbuffer: bytes) -> bool:
    try:
        runner = interpreter_child._load(interpreter, flatbuffer)
        runner.run(_inputs(runner.inputs))
    # A refusal is a fine end; a crash is what the parent looks for.
    except Exception:  # noqa: BLE001
        return False
    return True


def main() -> None:
    """Run models until the parent is done."""
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_DATA, (_MEMORY_BYTES, _MEMORY_BYTES))
    answer = os.dup(1)
    quiet = os.open(os.devnull, os.O_WRONLY)
    os.dup2(quiet, 1)
    os.dup2(quiet, 2)
    interpreter_child._TFLM_ARENA_BYTES = _ARENA_BYTES
    os.write(answer, b"+")
    while who := sys.stdin.buffer.read(1):
        (length,) = struct.unpack("<I", sys.stdin.buffer.read(4))
        ran = _runs(_INTERPRETERS[who], sys.stdin.buffer.read(length))
        os.write(answer, b"." if ran else b"-")


if __name__ == "__main__":
    main()
