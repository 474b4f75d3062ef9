"""The chain of passes, and the engines that judge what comes out."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from functools import partial
from types import MappingProxyType
from typing import Any

from edgekit.errors import EdgeKitError, ModelError, UntrustworthyError
from edgekit.progress import Progress, silent
from edgekit.tflite import flatbuffer, graph, interpreters
from edgekit.tflite.decode import encode
from edgekit.tflite.decode.expand import expanded
from edgekit.tflite.graph import Graph
from edgekit.tflite.interpreters import Interpreter
from edgekit.tflite.macs import macs
from edgekit.tflite.metadata import packed_files, with_files
from edgekit.tflite.shrink import (
    DECODE_PASS,
    Answer,
    Certificate,
    Engine,
    PassResult,
    ShrinkOptions,
    Shrunk,
    Verdict,
    channels,
    duplicates,
    identity,
    names,
    quantization,
    tied_weights,
)

_Pass = tuple[str, Callable[[Any], int]]


def interpreter_engines(*, phone: bool = False) -> dict[str, Engine]:
    """Return the judges that are installed here: TFLM and LiteRT's reference kernels, XNNPACK too for phones.

    LiteRT has no DECODE: it runs the weights that come out of it.
    """

    def engine(interpreter: Interpreter) -> Engine:
        def run(model: bytes, inputs: tuple[bytes, ...]) -> Answer:
            runs = model if interpreter is Interpreter.TFLM else expanded(model)
            done = interpreters.run(runs, inputs, interpreter)
            version = done.version if runs is model else f"{done.version} (weights decoded)"
            return Answer(done.outputs, version, done.arena_bytes)

        return run

    judges = [Interpreter.TFLM, Interpreter.LITERT_REFERENCE, *([Interpreter.LITERT_XNNPACK] if phone else [])]
    return {judge.label: engine(judge) for judge in judges if interpreters.available(judge)}


def shrink(
    model: bytes,
    engines: Mapping[str, Engine],
    inputs: tuple[bytes, ...],
    inputs_from: str,
    options: ShrinkOptions | None = None,
    progress: Progress = silent,
) -> Shrunk:
    """Shrink a model losslessly.

    Args:
        model: the .tflite.
        engines: name -> who judges; those that cannot run `model` are named in the certificate, and at least one must.
        inputs: for each inference the bytes of all inputs.
        inputs_from: where they came from, for the certificate.
        options: what stays in the file.
        progress: told what happens.

    Returns:
        The smaller .tflite with its certificate.

    Raises:
        ModelError: the model is damaged, has several subgraphs, or no engine runs it.
        UntrustworthyError: outputs differ although every pass is left out.
    """
    before = graph.parse(model)
    court = _Court(engines, inputs, progress)
    options = options or ShrinkOptions()
    kept, left_out = list(_passes(options)), list[PassResult]()
    shrunk, results, tensor_names = _apply(model, kept, progress)
    court.hear(model, shrunk)
    while not court.agrees(shrunk):
        guilty = _guilty(model, kept, court, progress)
        left_out.append(PassResult(guilty[0], 0, 0, f"left out: {court.objection or 'outputs would differ'}"))
        kept.remove(guilty)
        shrunk, results, tensor_names = _apply(model, kept, progress)
    after, arenas = graph.parse(shrunk), court.arenas()
    certificate = Certificate(
        sha256_before=before.sha256,
        sha256_after=after.sha256,
        bytes_before=len(model),
        bytes_after=len(shrunk),
        macs_before=macs(before),
        macs_after=macs(after),
        samples=len(inputs),
        inputs=inputs_from,
        verdicts=court.verdicts(),
        passes=(*results, *left_out),
        tflm_arena_before=arenas[0],
        tflm_arena_after=arenas[1],
    )
    return Shrunk(shrunk, certificate, tensor_names)


def preview(model: bytes) -> bytes:
    """Return what `shrink` makes of a model with its usual options, unjudged: for sizes, not for use."""
    return _apply(model, list(_passes(ShrinkOptions())), silent)[0]


def named(parsed: Graph, tensor_names: tuple[str, ...]) -> Graph:
    """Return a shrunk model's graph with the names that its tensors had, for messages and comments."""
    pairs = zip(parsed.tensors, tensor_names, strict=True)
    return replace(parsed, tensors=tuple(replace(tensor, name=name) for tensor, name in pairs))


def _passes(options: ShrinkOptions) -> tuple[_Pass, ...]:
    """The order matters: what an earlier pass frees a later one can merge; names go last, errors may need them."""
    strip = partial(names.apply, names=options.names, keep_signatures=options.keep_signatures)
    return (
        ("identity operators", identity.apply),
        ("channels", channels.apply),
        ("duplicates", duplicates.apply),
        ("tied weights", tied_weights.apply),
        ("quantization records", partial(quantization.apply, keep_bias_records=options.phone)),
        ("names", strip),
        *([(DECODE_PASS, encode.apply)] if options.decode else []),
    )


def _apply(
    model: bytes, passes: list[_Pass], progress: Progress
) -> tuple[bytes, tuple[PassResult, ...], tuple[str, ...]]:
    """Run passes over a model; return the file, what each did, and its tensors' old names."""
    tree = flatbuffer.unpack(model)
    original_names = {id(tensor): _text(tensor.name) for tensor in tree.subgraphs[0].tensors}
    # Labels and the like, which metadata name.
    files = packed_files(model)
    unused = flatbuffer.remove_unused(tree)
    packed = with_files(flatbuffer.pack(tree), files)
    results = [PassResult("unused parts, equal vectors and tables", unused, len(packed))]
    for name, apply in passes:
        progress(f"shrink: {name}")
        changes = apply(tree)
        if changes:
            flatbuffer.remove_unused(tree)
            packed = with_files(flatbuffer.pack(tree), files)
        results.append(PassResult(name, changes, len(packed)))
    tensor_names = tuple(original_names.get(id(tensor), "") for tensor in tree.subgraphs[0].tensors)
    return packed, tuple(results), tensor_names


def _text(name: Any) -> str:
    return bytes(name or b"").decode("utf-8", errors="replace")


def _guilty(model: bytes, passes: list[_Pass], court: _Court, progress: Progress) -> _Pass:
    """Find the first pass behind which the engines object, by bisection: all together they do."""
    fine, wrong = 0, len(passes)
    if not court.agrees(_apply(model, [], progress)[0]):
        raise UntrustworthyError(
            f"outputs differ after writing the model anew without any change: {court.objection}",
            hint="use the model as it is (`--no-shrink`), and report this as a fault of EdgeKit with the file",
        )
    while wrong - fine > 1:
        middle = (fine + wrong) // 2
        if court.agrees(_apply(model, passes[:middle], progress)[0]):
            fine = middle
        else:
            wrong = middle
    return passes[wrong - 1]


@dataclass(slots=True)
class _Court:
    """The engines, and what each said of the model as it came."""

    engines: Mapping[str, Engine]
    inputs: tuple[bytes, ...]
    progress: Progress
    objection: str = ""
    _expected: dict[str, Answer] = field(default_factory=dict)
    _latest: dict[str, Answer] = field(default_factory=dict)
    _absent: list[Verdict] = field(default_factory=list)
    _known: dict[bytes, str] = field(default_factory=dict)
    _heard: tuple[bytes, Mapping[str, Answer | EdgeKitError]] = (b"", MappingProxyType({}))

    def hear(self, model: bytes, shrunk: bytes) -> None:
        """Let every engine run the model as it came, and beside it what will be asked for first; ModelError if none
        can run the model."""
        self.progress("shrink: the engines run it, before and after")
        with ThreadPoolExecutor(1) as pool:
            after = pool.submit(self._ask, self.engines, shrunk)
            before = self._ask(self.engines, model)
            self._heard = (shrunk, after.result())
        for name, answer in before.items():
            if isinstance(answer, EdgeKitError):
                self._absent.append(Verdict(name, None, answer.what))
            else:
                self._expected[name] = answer
        if not self._expected:
            reasons = "; ".join(f"{verdict.engine}: {verdict.reason}" for verdict in self._absent)
            raise ModelError(
                f"no engine runs the model, so nothing can be certified ({reasons})",
                hint="`edgekit check MODEL` says which operators are at fault",
            )

    def agrees(self, model: bytes) -> bool:
        """Say whether every engine that ran gives the same bytes for this model; `objection` says who does not."""
        key = hashlib.sha256(model).digest()
        if key not in self._known:
            self._known[key] = self._objection(model)
        self.objection = self._known[key]
        return not self.objection

    def _objection(self, model: bytes) -> str:
        heard, answers = self._heard
        if heard != model:
            self.progress("shrink: the engines run it, after")
            answers = self._ask(self._expected, model)
        for name in self._expected:
            answer = answers[name]
            if isinstance(answer, EdgeKitError):
                return f"{name} refuses the result ({answer.what})"
            self._latest[name] = answer
            pairs = zip(answer.outputs, self._expected[name].outputs, strict=True)
            unequal = sum(one != other for one, other in pairs)
            if unequal:
                return f"{name} gives other outputs for {unequal} of {len(self.inputs)} inputs"
        return ""

    def _ask(self, names: Iterable[str], model: bytes) -> dict[str, Answer | EdgeKitError]:
        """What each engine says; each runs in a child process, so they run side by side."""

        def ask(name: str) -> Answer | EdgeKitError:
            try:
                return self.engines[name](model, self.inputs)
            except EdgeKitError as error:
                return error

        chosen = tuple(names)
        with ThreadPoolExecutor() as pool:
            return dict(zip(chosen, pool.map(ask, chosen), strict=True))

    def verdicts(self) -> tuple[Verdict, ...]:
        """Return what every engine said of the last model that all agreed on."""
        ran = (Verdict(f"{name} {answer.version}", True) for name, answer in self._latest.items())
        return (*ran, *self._absent)

    def arenas(self) -> tuple[int | None, int | None]:
        """Return what TFLM's arena took for the model as it came, and for the last one."""
        before, after = (answers.get(Interpreter.TFLM.label) for answers in (self._expected, self._latest))
        return before.arena_bytes if before else None, after.arena_bytes if after else None
