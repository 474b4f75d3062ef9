"""Functions that the tests run in a worker."""

from __future__ import annotations

import ctypes
import os
import sys
import time
from typing import Any

from edgekit.errors import DoesNotFitError
from edgekit.progress import Progress


def misbehave(request: dict[str, Any], progress: Progress) -> dict[str, Any]:
    """End in the way that the request names."""
    progress("converting model.keras, last layer 'dense_7'", 1, 2)
    how = request["how"]
    if how == "noise":
        sys.stdout.write("noise of Python\n")
        os.write(1, b"noise of C++\n")
        os.write(2, b"noise of C++\n")
    elif how == "abort":
        os.write(2, b"Check failed: rank == 4\n")
        os.abort()
    elif how == "segfault":
        ctypes.string_at(0)
    elif how == "sleep":
        time.sleep(60)
    elif how == "typed":
        largest = [("big", 9)]
        raise DoesNotFitError("RAM", needed_bytes=9, available_bytes=1, largest=largest, target="esp32")
    elif how == "raise":
        raise ValueError("first line\nsecond line")
    elif how == "memory":
        return {"bytes": len(bytearray(4 << 30))}
    return {"pid": os.getpid(), "tensorflow": "tensorflow" in sys.modules}
