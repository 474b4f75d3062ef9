"""The child in which one interpreter runs one model over all samples.

On stdin: one JSON line `{"interpreter", "model_bytes", "input_bytes": [...]}`, the flatbuffer, the inputs. On
stdout: one JSON line `{"output_bytes": [...], "allocations", "version"}` or `{"error"}`, then the outputs. Whatever the
C++ code prints goes to stderr. Only the interpreter asked for is imported: a run starts in under a second.
"""

from __future__ import annotations

import json
import os
import re
import resource
import sys
import tempfile
from typing import Any, BinaryIO, Protocol

import numpy as np
from numpy.typing import NDArray

# Reserved on the host for TFLM, which fails where its arena is too small; untouched pages cost nothing.
_TFLM_ARENA_BYTES = 64 * 1024 * 1024
_TFLM_RECORDED = {
    "total_bytes": re.compile(r"Arena allocation total (\d+) bytes"),
    "head_bytes": re.compile(r"Arena allocation head (\d+) bytes"),
    "tensors": re.compile(r"'TfLiteEvalTensor data' .* for (\d+) allocations"),
    "nodes": re.compile(r"'NodeAndRegistration struct' .* for (\d+) NodeAndRegistration"),
    "kernel_bytes": re.compile(r"'Persistent buffer data' .*requested (\d+) bytes"),
}


class _Runner(Protocol):
    """One interpreter with one model loaded."""

    inputs: list[tuple[tuple[int, ...], Any]]

    def run(self, values: list[NDArray[Any]]) -> list[NDArray[Any]]:
        """One inference from a reset state."""

    def allocations(self) -> dict[str, int] | None:
        """Fields of `edgekit.tflite.tflm_arena.TflmAllocations`; None where the interpreter does not say."""


class _LiteRt:
    def __init__(self, interpreter: Any) -> None:
        self._interpreter = interpreter
        self._interpreter.allocate_tensors()
        details = self._interpreter.get_input_details()
        self.inputs = [(tuple(int(n) for n in d["shape"]), d["dtype"]) for d in details]
        self._in = [d["index"] for d in details]
        self._out = [d["index"] for d in self._interpreter.get_output_details()]

    def run(self, values: list[NDArray[Any]]) -> list[NDArray[Any]]:
        # Samples are independent: a recurrent net must not remember the one before.
        self._interpreter.reset_all_variables()
        for index, value in zip(self._in, values, strict=True):
            self._interpreter.set_tensor(index, value)
        self._interpreter.invoke()
        return [self._interpreter.get_tensor(index) for index in self._out]

    def allocations(self) -> dict[str, int] | None:
        return None


class _Tflm:
    def __init__(self, flatbuffer: bytes) -> None:
        from ai_edge_litert import schema_py_generated as schema
        from tflite_micro import runtime

        subgraph = schema.Model.GetRootAs(flatbuffer, 0).Subgraphs(0)
        self._interpreter = runtime.Interpreter.from_bytes(
            flatbuffer, arena_size=_TFLM_ARENA_BYTES + 10 * len(flatbuffer)
        )
        details = [self._interpreter.get_input_details(i) for i in range(subgraph.InputsLength())]
        self.inputs = [(tuple(int(n) for n in d["shape"]), d["dtype"]) for d in details]
        self._outputs = subgraph.OutputsLength()

    def run(self, values: list[NDArray[Any]]) -> list[NDArray[Any]]:
        self._interpreter.reset()
        # TFLM reuses the input's memory during an inference, so every run sets every input again.
        for index, value in enumerate(values):
            self._interpreter.set_input(value, index)
        self._interpreter.invoke()
        return [np.array(self._interpreter.get_output(index)) for index in range(self._outputs)]

    def allocations(self) -> dict[str, int] | None:
        said = _stderr_of(self._interpreter.print_allocations)
        found = {name: pattern.search(said) for name, pattern in _TFLM_RECORDED.items()}
        return (
            {name: int(match.group(1)) if match else 0 for name, match in found.items()}
            if any(found.values())
            else None
        )


def _stderr_of(call: Any) -> str:
    """Run `call` and return what it wrote to file descriptor 2, which is where the C++ code writes."""
    sys.stderr.flush()
    saved = os.dup(2)
    with tempfile.TemporaryFile() as capture:
        os.dup2(capture.fileno(), 2)
        try:
            call()
        finally:
            os.dup2(saved, 2)
            os.close(saved)
        capture.seek(0)
        return capture.read().decode("utf-8", errors="replace")


def _load(interpreter: str, flatbuffer: bytes) -> _Runner:
    if interpreter == "tflm":
        return _Tflm(flatbuffer)
    if interpreter == "tflite_runtime":
        from tflite_runtime.interpreter import Interpreter as OlderInterpreter

        return _LiteRt(OlderInterpreter(model_content=flatbuffer, num_threads=1))
    from ai_edge_litert.interpreter import Interpreter, OpResolverType

    resolver = {
        "litert_reference": OpResolverType.BUILTIN_REF,
        "litert": OpResolverType.BUILTIN_WITHOUT_DEFAULT_DELEGATES,
        "litert_xnnpack": OpResolverType.AUTO,
    }[interpreter]
    return _LiteRt(Interpreter(model_content=flatbuffer, experimental_op_resolver_type=resolver, num_threads=1))


def _split(sample: bytes, inputs: list[tuple[tuple[int, ...], Any]]) -> list[NDArray[Any]]:
    values, offset = [], 0
    for shape, dtype in inputs:
        size = int(np.prod(shape, dtype=np.int64)) * np.dtype(dtype).itemsize
        values.append(np.frombuffer(sample[offset : offset + size], dtype).reshape(shape))
        offset += size
    return values


def _run_all(request: dict[str, Any], stream: BinaryIO) -> tuple[list[bytes], dict[str, int] | None]:
    runner = _load(request["interpreter"], stream.read(request["model_bytes"]))
    expected = sum(int(np.prod(shape)) * np.dtype(dtype).itemsize for shape, dtype in runner.inputs)
    outputs = []
    for number, size in enumerate(request["input_bytes"]):
        if size != expected:
            raise ValueError(f"sample {number} has {size} bytes, the model's inputs take {expected}")
        values = runner.run(_split(stream.read(size), runner.inputs))
        outputs.append(b"".join(np.ascontiguousarray(value).tobytes() for value in values))
    return outputs, runner.allocations() if outputs else None


def _version() -> str:
    from tflite_runtime import __version__

    return str(__version__)


def main() -> None:
    """Read the request from stdin, answer on stdout."""
    # A crash is an answer here, not something to leave a core file for.
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    answer = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    request = json.loads(sys.stdin.buffer.readline())
    header: dict[str, Any]
    try:
        outputs, allocations = _run_all(request, sys.stdin.buffer)
        header = {"output_bytes": [len(output) for output in outputs], "allocations": allocations}
        header["version"] = _version() if request["interpreter"] == "tflite_runtime" else None
    # Whatever the interpreter raises is reported to the parent, which puts it into EdgeKit's words.
    except Exception as error:  # noqa: BLE001
        outputs, header = [], {"error": f"{error}" or type(error).__name__}
    with answer:
        answer.write(json.dumps(header).encode() + b"\n")
        for output in outputs:
            answer.write(output)


if __name__ == "__main__":
    main()
