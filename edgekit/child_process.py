"""Starting Python children of EdgeKit's own, and putting their end into words.

Interpreters and converters can segfault, abort or eat all memory: they run in children, so that this costs an
error message and not the process that the user is looking at.
"""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path

# What the C++ libraries print about themselves before the message that matters.
_NOISE = (
    "trackable_obj",
    "absl::InitializeLog",
    "oneDNN",
    "cpu_feature_guard",
    "cudart_stub",
    "rebuild TensorFlow",
    "Created TensorFlow Lite XNNPACK",
)


def python_command(module: str) -> list[str]:
    """Return the command that runs a module of EdgeKit in a fresh interpreter.

    `-P` keeps the user's working folder off the import path: a `numpy.py` lying there must not be run.

    Example:
        >>> python_command("edgekit.worker_main")[1:]
        ['-P', '-m', 'edgekit.worker_main']
    """
    return [sys.executable, "-P", "-m", module]


def child_environment(**extra: str) -> dict[str, str]:
    """Return the parent's environment, with this very EdgeKit importable and `extra` on top."""
    package_parent = str(Path(__file__).resolve().parent.parent)
    inherited = os.environ.get("PYTHONPATH")
    path = package_parent + (os.pathsep + inherited if inherited else "")
    return {**os.environ, "PYTHONPATH": path, "PYTHONIOENCODING": "utf-8", **extra}


def describe_exit(return_code: int) -> str:
    """Put the end of a child into words.

    Args:
        return_code: as `subprocess` gives it: negative for a signal.

    Example:
        >>> describe_exit(-11), describe_exit(3)
        ('was ended by signal 11 (SIGSEGV)', 'ended with exit status 3')
    """
    if return_code >= 0:
        return f"ended with exit status {return_code}"
    try:
        name = signal.Signals(-return_code).name
    except ValueError:
        name = "unknown"
    # Nobody else sends SIGKILL: the kernel does so when memory runs out.
    reason = "; the kernel does this when memory runs out" if name == "SIGKILL" else ""
    return f"was ended by signal {-return_code} ({name}{reason})"


def last_relevant_line(log: str, limit: int = 300) -> str:
    """Return the last line of a log that says something, cut to `limit` characters; empty where none does.

    Example:
        >>> last_relevant_line("Didn't find op for builtin opcode 'TILE'\\noneDNN custom operations\\n\\n")
        "Didn't find op for builtin opcode 'TILE'"
    """
    for line in reversed(log.splitlines()):
        text = line.strip()
        if text and not any(noise in text for noise in _NOISE):
            return text[:limit]
    return ""
