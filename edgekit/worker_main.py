"""The other end of `edgekit.worker.Worker`: serves calls until the pipe closes.

File descriptors 1 and 2 are the log file; the pipe is another descriptor, named in the environment. TensorFlow is
imported by the functions called, never here.
"""

from __future__ import annotations

import importlib
import json
import os
import resource
import signal
import sys
import traceback
from multiprocessing.connection import Connection
from typing import Any

from edgekit.errors import EdgeKitError
from edgekit.progress import Progress


def echo(request: dict[str, Any], progress: Progress) -> dict[str, Any]:
    """Return the request: shows that a worker is alive."""
    progress("echo", 1, 1)
    return request


def main() -> None:
    """Serve calls until the parent goes."""
    # Ctrl-C reaches the whole foreground group; the parent decides what it means.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    limit = os.environ.get("EDGEKIT_WORKER_MEMORY_BYTES")
    if limit:
        # Writable private memory; a limit on the address space would count libraries that are only mapped.
        resource.setrlimit(resource.RLIMIT_DATA, (int(limit), int(limit)))
    connection: Connection[Any, Any] = Connection(int(os.environ["EDGEKIT_WORKER_FD"]))
    try:
        while True:
            _serve(json.loads(connection.recv_bytes()), connection)
    except (EOFError, BrokenPipeError, ConnectionResetError):
        pass
    sys.stdout.flush()
    # TensorFlow's own end takes seconds and frees nothing that the kernel would not.
    os._exit(0)


def _serve(call: dict[str, Any], connection: Connection[Any, Any]) -> None:
    def send(message: dict[str, Any]) -> None:
        connection.send_bytes(json.dumps(message).encode())

    def progress(what: str, done: int = 0, total: int | None = None) -> None:
        send({"progress": [what, done, total]})

    try:
        module, _, name = call["function"].partition(":")
        result = getattr(importlib.import_module(module), name)(call["request"], progress)
        send({"result": result})
    except EdgeKitError as error:
        kind = type(error)
        text = {"module": kind.__module__, "name": kind.__qualname__, "what": error.what, "hint": error.hint}
        send({"error": text})
    except (EOFError, BrokenPipeError, ConnectionResetError):
        raise
    # Keras and the converter raise anything; the user gets its first line, the log the rest.
    except Exception as error:  # noqa: BLE001
        traceback.print_exc()
        first = next((line.strip() for line in str(error).splitlines() if line.strip()), "no reason given")
        send({"failure": f"{type(error).__name__}: {first[:500]}"})


if __name__ == "__main__":
    main()
