"""Run a flatbuffer in an interpreter on the host, always in a child process with a time limit."""

from __future__ import annotations

import importlib.util
import json
import subprocess
import sys
from dataclasses import dataclass
from enum import StrEnum
from importlib import metadata
from pathlib import Path
from typing import Any

from edgekit.child_process import child_environment, describe_exit, last_relevant_line, python_command
from edgekit.errors import ModelError, ToolchainError
from edgekit.tflite import guard
from edgekit.tflite.tflm_arena import TflmAllocations


class Interpreter(StrEnum):
    """Who runs the model.

    LITERT_REFERENCE: LiteRT with its portable reference kernels. LITERT: LiteRT with its optimized kernels,
    without a delegate. LITERT_XNNPACK: LiteRT as phones run it. TFLM: TensorFlow Lite Micro's interpreter; its bits
    count on a microcontroller. TFLITE_RUNTIME: the older runtime's last release; it wants NumPy 1 and Python 3.11 at
    most, so it has an environment of its own (`tflite_runtime_python`).
    """

    LITERT_REFERENCE = "litert_reference"
    LITERT = "litert"
    LITERT_XNNPACK = "litert_xnnpack"
    TFLM = "tflm"
    TFLITE_RUNTIME = "tflite_runtime"

    @property
    def label(self) -> str:
        """The name as reports print it."""
        return _NAMES[self][0]

    @property
    def _distribution(self) -> tuple[str, str]:
        """(module, package name)."""
        return _NAMES[self][1:]


# As reports print it, module, package.
_NAMES = {
    Interpreter.LITERT_REFERENCE: ("LiteRT reference kernels", "ai_edge_litert", "ai-edge-litert"),
    Interpreter.LITERT: ("LiteRT", "ai_edge_litert", "ai-edge-litert"),
    Interpreter.LITERT_XNNPACK: ("LiteRT with XNNPACK", "ai_edge_litert", "ai-edge-litert"),
    Interpreter.TFLM: ("TFLM", "tflite_micro", "tflite-micro"),
    Interpreter.TFLITE_RUNTIME: ("tflite-runtime", "tflite_runtime", "tflite-runtime"),
}


@dataclass(frozen=True, slots=True)
class Run:
    """What an interpreter returned.

    Attributes:
        outputs: per sample the bytes of all output tensors, concatenated in the model's order.
        version: of the interpreter's package.
        allocations: what TFLM's allocator recorded on this host; None for other interpreters.
    """

    outputs: tuple[bytes, ...]
    version: str
    allocations: TflmAllocations | None

    @property
    def arena_bytes(self) -> int | None:
        """What TFLM used on this host; its structures hold 64-bit pointers here, so a 32-bit core needs less."""
        return self.allocations.total_bytes if self.allocations is not None else None


def tflite_runtime_python() -> Path:
    """Return where the Python of tflite-runtime's own environment is looked for: inside of EdgeKit's."""
    return Path(sys.prefix) / "share" / "edgekit" / "tflite-runtime" / "bin" / "python"


def tflite_runtime_setup() -> str:
    """Return the line that makes tflite-runtime's environment."""
    folder = tflite_runtime_python().parent.parent
    return f'python3.11 -m venv "{folder}" && "{folder}/bin/pip" install tflite-runtime==2.14.0 "numpy<2"'


def available(interpreter: Interpreter) -> bool:
    """Say whether an interpreter is installed, without importing it.

    Example:
        >>> available(Interpreter.LITERT_REFERENCE)
        True
    """
    if interpreter is Interpreter.TFLITE_RUNTIME:
        return tflite_runtime_python().is_file()
    return importlib.util.find_spec(interpreter._distribution[0]) is not None


def run(flatbuffer: bytes, inputs: tuple[bytes, ...], interpreter: Interpreter, *, timeout_s: float = 300.0) -> Run:
    """Run a model over samples; every sample starts from the model's initial state.

    Args:
        flatbuffer: the .tflite file.
        inputs: per sample the bytes of all input tensors, concatenated in the model's order.
        interpreter: who runs it.
        timeout_s: limit for all samples together, in seconds.

    Returns:
        One output per sample.

    Raises:
        ModelError: the guard or the interpreter refused the model, or it crashed or took longer than `timeout_s`.
        ToolchainError: the interpreter is not installed.
    """
    if not available(interpreter):
        line = f"pip install {interpreter._distribution[1]} (wheels exist for Linux on x86-64 only)"
        if interpreter is Interpreter.TFLITE_RUNTIME:
            line = tflite_runtime_setup()
        raise ToolchainError(
            f"the {interpreter.label} interpreter is not installed", hint=f"{line}, or go on without it"
        )
    guard.check(flatbuffer, runner=interpreter.value)
    header = {
        "interpreter": interpreter.value,
        "model_bytes": len(flatbuffer),
        "input_bytes": [len(sample) for sample in inputs],
    }
    request = b"".join((json.dumps(header).encode(), b"\n", flatbuffer, *inputs))
    answer, outputs = _ask(request, interpreter, timeout_s)
    version = answer["version"] or metadata.version(interpreter._distribution[1])
    return Run(_split(outputs, answer["output_bytes"]), version, TflmAllocations.from_json(answer["allocations"]))


def _ask(request: bytes, interpreter: Interpreter, timeout_s: float) -> tuple[dict[str, Any], bytes]:
    """Run the child; subprocess.run kills it on a time-out and on Ctrl-C."""
    try:
        done = subprocess.run(
            _command(interpreter),
            input=request,
            capture_output=True,
            timeout=timeout_s,
            env=_environment(interpreter),
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        raise ModelError(
            f"the {interpreter.label} interpreter did not finish within {timeout_s:g} s",
            hint="give fewer samples; if one sample hangs as well, the model is damaged: convert it again",
        ) from error
    log = last_relevant_line(done.stderr.decode("utf-8", errors="replace"))
    if done.returncode != 0 or not done.stdout:
        said = f"; its last words: {log}" if log else ""
        ended = describe_exit(done.returncode)
        raise ModelError(
            f"the {interpreter.label} interpreter {ended} while running the model{said}",
            hint="the model is damaged or hits a fault of the interpreter: convert it again from its source",
        )
    line, _, outputs = done.stdout.partition(b"\n")
    answer: dict[str, Any] = json.loads(line)
    if "error" in answer:
        reason = "; ".join(dict.fromkeys(part for part in (answer["error"], log) if part))
        raise ModelError(
            f"the {interpreter.label} interpreter refused the model: {reason}",
            hint="`edgekit inspect MODEL` lists the operators; replace the layer that the message names",
        )
    return answer, outputs


def _command(interpreter: Interpreter) -> list[str]:
    if interpreter is Interpreter.TFLITE_RUNTIME:
        # That environment knows nothing of EdgeKit; the child needs nothing of it either.
        return [str(tflite_runtime_python()), "-I", str(Path(__file__).with_name("interpreter_child.py"))]
    return python_command("edgekit.tflite.interpreter_child")


def _environment(interpreter: Interpreter) -> dict[str, str]:
    environment = child_environment(TF_CPP_MIN_LOG_LEVEL="2")
    if interpreter is Interpreter.TFLITE_RUNTIME:
        # NumPy 2 of EdgeKit's environment must not come in its way.
        del environment["PYTHONPATH"]
    return environment


def _split(content: bytes, sizes: list[int]) -> tuple[bytes, ...]:
    parts, offset = [], 0
    for size in sizes:
        parts.append(content[offset : offset + size])
        offset += size
    return tuple(parts)
