"""Will a model run, and where not: operators against what each engine can do, what rewriting cures, the arena."""

from __future__ import annotations

import dataclasses
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from edgekit import targets
from edgekit.errors import EdgeKitError, ModelError, UnsupportedOpError
from edgekit.model_source import ModelSource, resolve
from edgekit.progress import Progress, silent
from edgekit.tflite.graph import Graph, Op, Tensor

_FLOATS = ("float32", "float16", "float64")
_FLOAT = "it computes in floating point, aot in integers"
_CONVERT = "give the Keras model with representative data: EdgeKit converts it to integers"
# TFLM's and LiteRT's reference kernels end the process where the exponentials sum up to this.
_SOFTMAX_ABORTS = 512
_LONG_NAME = re.compile(r"'[^']*?([^']{40})'")
_EDIT = "change the layer that makes it; `edgekit inspect MODEL` shows what is around it"


@dataclass(frozen=True, slots=True)
class OperatorCheck:
    """One operator.

    Attributes:
        index: position in execution order.
        operator, version: as the file says.
        types: of the activations: those read, then those written.
        shape: of the first output.
        name: of the first output, which tells the layer.
        aot, tflm: why the engine does not run it; None where it does.
        is_float: it computes in floating point.
        caution: where TFLM is known to be wrong.
        cure: what would help; None where nothing is needed.
    """

    index: int
    operator: str
    version: int
    types: str
    shape: tuple[int, ...]
    name: str
    aot: str | None
    tflm: str | None
    is_float: bool
    caution: str | None
    cure: str | None

    @property
    def is_fine(self) -> bool:
        """Every engine runs it, in integers, and right."""
        return self.aot is None and self.tflm is None and not self.is_float and self.caution is None


@dataclass(frozen=True, slots=True)
class EngineCheck:
    """One engine and the whole model after rewriting.

    Attributes:
        engine: aot or tflm.
        runs: it does.
        reason: why not; or what is not known.
        arena_bytes: for aot what `build` plans, which shrinks the model first; for tflm an estimate from above of what
            its reference kernels take of this file on Arm cores. None where it is not known.
        arena_bytes_elsewhere: for tflm the estimate on RISC-V and Xtensa, whose enums are wider; else None.
    """

    engine: str
    runs: bool
    reason: str | None
    arena_bytes: int | None
    arena_bytes_elsewhere: int | None = None


@dataclass(frozen=True, slots=True)
class Check:
    """What `check` found.

    Attributes:
        name: of the model.
        kind: of file: tflite or Keras.
        sha256: of the flatbuffer; None for a Keras model.
        operators: of the file as it is; empty for a Keras model.
        rewrites: (pass, number of changes) that `build` and `convert` make.
        engines: what runs it after that.
        note: what was not looked at.
    """

    name: str
    kind: str
    sha256: str | None
    operators: tuple[OperatorCheck, ...]
    rewrites: tuple[tuple[str, int], ...]
    engines: tuple[EngineCheck, ...]
    note: str | None

    @property
    def is_refused(self) -> bool:
        """No engine runs the model."""
        return bool(self.engines) and not any(engine.runs for engine in self.engines)

    def to_json(self) -> dict[str, Any]:
        """Return the object that `check --json` prints."""
        return {
            "model": {"name": self.name, "kind": self.kind, "sha256": self.sha256},
            "refused": self.is_refused,
            "engines": [dataclasses.asdict(engine) for engine in self.engines],
            "rewrites": [{"pass": name, "changes": changes} for name, changes in self.rewrites],
            "operators": [dataclasses.asdict(operator) for operator in self.operators],
            "note": self.note,
        }


def check(model: Path, progress: Progress = silent, *, target: str | None = None) -> Check:
    """Check a model before anything is built.

    Args:
        model: a .tflite (no TensorFlow needed), or a Keras model or SavedModel, of which the archive is checked.
        progress: told what happens.
        target: whose kernels the arena is told for; None takes the portable ones.

    Raises:
        UsageError: no such file, or no model.
        UnknownNameError: there is no such target.
        ModelError: damaged or hostile: names operator, tensor and field, or the layer.
    """
    from edgekit.tflite.model_files import examine

    features = targets.load(target).features if target is not None else ()
    source = resolve(model)
    progress(f"checking {source.name}")
    kind = examine(source.path)
    if source.is_flatbuffer:
        return _flatbuffer(source, progress, features)
    note = "operators are checked on the converted model: `edgekit convert`, then `edgekit check` on its .tflite"
    return Check(source.name, str(kind), None, (), (), (), note)


def _flatbuffer(source: ModelSource, progress: Progress, features: tuple[str, ...]) -> Check:
    from edgekit.tflite.decode.expand import with_weights
    from edgekit.tflite.graph import parse, read
    from edgekit.tflite.rewrite import rewrite

    graph = with_weights(read(source.path))
    rewritten = rewrite(graph.flatbuffer)
    after = with_weights(parse(rewritten.flatbuffer)) if rewritten.changes else graph
    # What still is in the way afterwards, by the tensor that the operator writes: rewriting keeps names.
    left = {operator.name for operator in (_operator(after, op, None) for op in after.ops) if not operator.is_fine}
    operators = tuple(_operator(graph, op, left) for op in graph.ops)
    progress("asking the engines")
    engines = (_aot(after, features), _tflm(after))
    return Check(source.name, ".tflite", graph.sha256, operators, rewritten.changes, engines, None)


def _operator(graph: Graph, op: Op, left: set[str] | None) -> OperatorCheck:
    output = graph.tensors[op.outputs[0]]
    read = [graph.tensors[index] for index in op.inputs if index >= 0 and graph.tensors[index].data is None]
    written = [graph.tensors[index] for index in op.outputs]
    aot, hint = _refused_by_aot(graph, op)
    is_float = any(tensor.dtype in _FLOATS for tensor in (*read, *written))
    if aot is not None and is_float:
        aot = _FLOAT
    found = OperatorCheck(
        index=op.index,
        operator=op.kind,
        version=op.version,
        types=f"{_types(read) or 'constants'} → {_types(written)}",
        shape=output.shape,
        name=output.name,
        aot=aot,
        tflm=_refused_by_tflm(graph, op),
        is_float=is_float,
        caution=_caution(graph, op),
        cure=None,
    )
    if found.is_fine or left is None:
        return found
    return dataclasses.replace(found, cure=_cure(found, hint, is_cured=output.name not in left))


def _cure(found: OperatorCheck, hint: str | None, *, is_cured: bool) -> str:
    if is_cured:
        return "`build` and `convert` rewrite it"
    if found.is_float:
        return _CONVERT
    if found.aot is not None and found.tflm is None:
        return "`--engine tflm` runs it"
    if found.caution is not None and found.tflm is None and found.aot is None:
        return "`--engine aot`, or a layer in its place"
    if found.aot is not None:
        return "replace the layer: neither engine runs this operator so"
    return hint or _EDIT


def _types(tensors: list[Tensor]) -> str:
    return ", ".join(dict.fromkeys(tensor.dtype for tensor in tensors))


def _refused_by_aot(graph: Graph, op: Op) -> tuple[str | None, str | None]:
    from edgekit.engine import ops
    from edgekit.engine.options import PORTABLE
    from edgekit.tflite import decode

    if op.kind == decode.KIND:
        # Decoded when the C is written.
        return None, None
    try:
        ops.lower(graph, op, PORTABLE)
    except UnsupportedOpError as error:
        # The operator and its tensor stand in columns of their own.
        return _LONG_NAME.sub(r"'…\1'", error.what.partition("): ")[2] or error.what), error.hint
    except EdgeKitError as error:
        return error.what, error.hint
    return None, None


def _refused_by_tflm(graph: Graph, op: Op) -> str | None:
    from edgekit.tflite import tflm_operators

    return tflm_operators.refusal(graph, op)


def _caution(graph: Graph, op: Op) -> str | None:
    """Where TFLM itself gives wrong values."""
    from edgekit.tflite.known_differences import DIFFERENCES

    output = graph.tensors[op.outputs[0]]
    if op.kind == "RELU6" and graph.tensors[op.inputs[0]].quant == output.quant:
        # Its kernel ignores the scale of the output, which does no harm here.
        return None
    if op.kind == "SOFTMAX" and output.dtype == "int8" and output.shape[-1] >= _SOFTMAX_ABORTS:
        return f"TFLM aborts where {_SOFTMAX_ABORTS} and more logits are about equal; aot does not"
    known = [one for one in DIFFERENCES if (one.operator, one.dtype, one.largest_step) == (op.kind, output.dtype, None)]
    return next((one.cause for one in known if "TFLM is right" not in one.cause), None)


def _aot(graph: Graph, features: tuple[str, ...]) -> EngineCheck:
    from edgekit.engine.options import EngineOptions
    from edgekit.engine.program import program
    from edgekit.tflite.graph import parse
    from edgekit.tflite.shrink.chain import preview

    try:
        made = program(parse(preview(graph.flatbuffer)), EngineOptions(features))
        return EngineCheck("aot", True, None, made.memory.arena_bytes)
    except ModelError as error:
        return EngineCheck("aot", False, error.what, None)


def _tflm(graph: Graph) -> EngineCheck:
    from edgekit.tflite import interpreters
    from edgekit.tflite.interpreters import Interpreter
    from edgekit.tflite.tflm_arena import arena_bytes_32

    refused = [(op, _refused_by_tflm(graph, op)) for op in graph.ops]
    reason = next((f"operator {op.index} {op.kind}: {said}" for op, said in refused if said is not None), None)
    recorded = None
    if reason is None and interpreters.available(Interpreter.TFLM):
        sample = b"".join(_any_values(graph.tensors[index]) for index in graph.inputs)
        try:
            recorded = interpreters.run(graph.flatbuffer, (sample,), Interpreter.TFLM).allocations
        except ModelError as error:
            reason = error.what
    if recorded is None:
        return EngineCheck("tflm", reason is None, reason, None)
    arenas = (arena_bytes_32(graph, recorded, short_enums=short) for short in (True, False))
    return EngineCheck("tflm", True, None, *arenas)


def _any_values(tensor: Tensor) -> bytes:
    """Any values of a quantized input; zeros of others, which may be indices."""
    import numpy as np

    is_quantized = tensor.dtype in ("int8", "uint8", "int16")
    return np.random.default_rng(0).bytes(tensor.size_bytes) if is_quantized else bytes(tensor.size_bytes)
