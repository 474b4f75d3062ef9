"""Bring a model to a target: convert, prove, emit, check the budget, compile, and leave it all in one folder."""

from __future__ import annotations

import dataclasses
import hashlib
import json
from collections.abc import Mapping
from pathlib import Path, PurePosixPath
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from edgekit import pipeline, targets
from edgekit.atomic import write_atomically
from edgekit.build_options import BuildOptions
from edgekit.engine.options import EngineOptions
from edgekit.errors import DoesNotFitError, ToolchainError, UnknownNameError, UsageError
from edgekit.model_source import resolve
from edgekit.pipeline import Pipeline
from edgekit.progress import Progress, silent
from edgekit.report.types import Artifacts, BuildReport, Flash, ModelFacts, ProofFacts, Ram
from edgekit.stage_files import Compiled, Emitted, Golden
from edgekit.targets import Target
from edgekit.tflite.shrink import ShrinkOptions

if TYPE_CHECKING:
    from edgekit.conversion import Conversion
    from edgekit.tflite.proof import Proof
    from edgekit.tflite.shrink import Shrunk

__all__ = ["BuildOptions", "build", "default_folder"]

ENGINES = ("aot", "tflm")
REPORT = "report.json"
GOLDEN = "golden.npz"
# Binds the model to the harness: with it the folder holds all that is compiled.
BINDING = "ek_model.h"

# What a kernel and the harness need at least; the linker script's reserve counts where it is larger.
STACK_ALLOWANCE_BYTES = 2048

_STREAMED = (
    "the input is streamed: the application hands it over row by row; here the harness keeps what the host sent in its "
    "static RAM"
)


def build(
    model: str | Path,
    target: str,
    *,
    out: Path | None = None,
    options: BuildOptions | None = None,
    progress: Progress = silent,
) -> BuildReport:
    """Build firmware for a target from a model.

    Args:
        model: `.keras`, `.h5` or `.tflite` file, SavedModel folder, or a folder with a model.toml.
        target: name of a target.
        out: folder for the outputs; None chooses `build/<model>/<target>` below the current folder.
        options: data, compression, metric, engine.
        progress: told what happens.

    Returns:
        What was built; the same is in report.json beside the outputs.

    Raises:
        UsageError: a name, an option or the data is wrong.
        ModelError: the model is damaged, cannot be converted, or does not fit the target.
        ToolchainError: the compiler is missing or failed.
        UntrustworthyError: the judges contradict each other.
    """
    board, options = targets.load(target), options or BuildOptions()
    engine = engine_options(options, board)
    line = pipeline.start(resolve(Path(model)), options, progress)
    folder = _folder(out or default_folder(line.source.name, target))
    conversion, shrunk = _shrunk(line, line.convert(), options)
    proof, golden = line.prove(conversion.flatbuffer)
    named = (line.source.labels or golden.labels, shrunk.tensor_names if shrunk is not None else None)
    emitted = line.emit(conversion.flatbuffer, options.engine, engine, proof.tflm_arena_bytes, *named)
    require_fit(emitted, board)
    outputs = _sources(conversion, emitted, golden)
    compiled = _compile(line, emitted, board, (folder, outputs))
    outputs |= compiled.files
    report = BuildReport(
        folder=folder,
        target=board.name,
        engine=options.engine,
        compiler=compiled.compiler,
        model=_model_facts(line, emitted, shrunk),
        ram=_ram(compiled, board),
        flash=_flash(compiled, board),
        flash_bytes_read=emitted.sources.flash_bytes_read,
        optimize=emitted.sources.optimize,
        proof=proof_facts(proof, golden),
        artifacts=_artifacts(conversion, emitted, compiled, outputs),
        metrics=conversion.metric,
        compression=conversion.compression,
        simulated=line.source.simulated,
        notes=_notes(line, conversion, options),
        shrink=shrunk.certificate if shrunk is not None else None,
    )
    _write(folder, {**outputs, REPORT: _text(report).encode()})
    return report


def _notes(line: Pipeline, conversion: Conversion, options: BuildOptions) -> tuple[str, ...]:
    notes = (*line.notes, *conversion.notes)
    return (*notes, _STREAMED) if options.stream_input else notes


def _shrunk(line: Pipeline, conversion: Conversion, options: BuildOptions) -> tuple[Conversion, Shrunk | None]:
    """Shrink what was converted, unless that is not wanted."""
    if not options.shrink:
        return conversion, None
    shrunk = line.shrink(conversion.flatbuffer, ShrinkOptions(), pipeline.SHRINK_SAMPLES)
    return dataclasses.replace(conversion, flatbuffer=shrunk.flatbuffer), shrunk


def _model_facts(line: Pipeline, emitted: Emitted, shrunk: Shrunk | None) -> ModelFacts:
    """MACs are those of the model as converted: that is the work which a shrunk model does with fewer."""
    macs = shrunk.certificate.macs_before if shrunk is not None else emitted.macs
    return ModelFacts(line.source.name, emitted.sources.model_sha256, macs)


def engine_options(options: BuildOptions, target: Target | None) -> EngineOptions:
    """Return what engine aot needs to know; raise UnknownNameError unless there is such an engine and such an aim."""
    if options.engine not in ENGINES:
        raise UnknownNameError("engine", options.engine, ENGINES)
    return options.for_engine(target)


def _folder(path: Path) -> Path:
    if path.exists() and not path.is_dir():
        raise UsageError(f"{path} is a file, expected a folder for the outputs", hint="give another folder with --out")
    return path


def _compile(line: Pipeline, emitted: Emitted, target: Target, kept: tuple[Path, Mapping[str, bytes]]) -> Compiled:
    """Compile, and check that it fits; without the engine's library, leave (folder, files) as `kept` says."""
    try:
        compiled = line.compile(emitted.sources, target)
    except DoesNotFitError as error:
        raise _with_tensors(error, emitted, target) from error
    except ToolchainError as error:
        if emitted.sources.engine == "tflm":
            folder, files = kept
            _write(folder, files)
            error.hint = f"{error.hint}; the sources for it were written to {folder}, the firmware was not"
        raise
    require_fit(emitted, target, compiled)
    return compiled


def _text(report: BuildReport) -> str:
    return json.dumps({"schema_version": 1, **report.to_json()}, indent=2) + "\n"


def default_folder(name: str, target: str) -> Path:
    """Return where a build goes when nothing else is said.

    Example:
        >>> default_folder("digits", "esp32").as_posix()
        'build/digits/esp32'
    """
    return Path("build") / name / target


def require_fit(emitted: Emitted, target: Target, compiled: Compiled | None = None) -> None:
    """Refuse what cannot fit: by arena and weights before compiling, by the linked firmware after it.

    Raises:
        DoesNotFitError: needed, available, and the three largest tensors.
    """
    ram = emitted.sources.arena_bytes + STACK_ALLOWANCE_BYTES
    flash = emitted.sources.weights_bytes
    if compiled is not None:
        stack = max(compiled.stack_reserved_bytes, STACK_ALLOWANCE_BYTES)
        ram = compiled.arena_bytes + compiled.static_bytes + stack
        flash = compiled.weights_bytes + compiled.kernels_bytes + compiled.application_bytes
    for resource, needed, available, largest in (
        ("RAM", ram, target.ram_bytes, emitted.activations),
        ("flash", flash, target.flash_bytes, emitted.constants),
    ):
        if needed > available:
            raise DoesNotFitError(
                resource, needed_bytes=needed, available_bytes=available, largest=largest, target=target.name
            )


def _with_tensors(error: DoesNotFitError, emitted: Emitted, target: Target) -> DoesNotFitError:
    """Name the tensors, which the linker that found the overflow does not know."""
    return DoesNotFitError(
        error.resource,
        needed_bytes=error.needed_bytes,
        available_bytes=error.available_bytes,
        largest=emitted.activations if error.resource == "RAM" else emitted.constants,
        target=target.name,
    )


def _ram(compiled: Compiled, target: Target) -> Ram:
    return Ram(
        arena_bytes=compiled.arena_bytes,
        engine_bytes=0,
        stack_peak_bytes=None,
        static_bytes=compiled.static_bytes,
        stack_reserved_bytes=compiled.stack_reserved_bytes,
        available_bytes=target.ram_bytes,
    )


def _flash(compiled: Compiled, target: Target) -> Flash:
    weights, kernels, application = compiled.weights_bytes, compiled.kernels_bytes, compiled.application_bytes
    return Flash(weights, kernels, application, target.flash_bytes)


def proof_facts(proof: Proof, golden: Golden) -> ProofFacts:
    """Return what a report says of a proof."""
    return ProofFacts(
        judges=proof.judges,
        samples=proof.samples,
        equal=proof.equal,
        largest_step=proof.largest_step,
        inputs=golden.origin,
        tflm_arena_bytes=proof.tflm_arena_bytes,
    )


def _sources(conversion: Conversion, emitted: Emitted, golden: Golden) -> dict[str, bytes]:
    """Return what a build leaves whether or not it is compiled."""
    from edgekit.golden import pack_golden

    files = {path.as_posix(): text.encode() for path, text in emitted.files.items()}
    files[BINDING] = emitted.sources.files[PurePosixPath(BINDING)].encode()
    files[f"{emitted.sources.stem}.tflite"] = conversion.flatbuffer
    files[GOLDEN] = pack_golden(golden.inputs, golden.outputs)
    if conversion.keras_model is not None:
        files[f"{emitted.sources.stem}.keras"] = conversion.keras_model
    return files


def _artifacts(conversion: Conversion, emitted: Emitted, compiled: Compiled, outputs: Mapping[str, bytes]) -> Artifacts:
    stem = emitted.sources.stem
    return Artifacts(
        tflite=f"{stem}.tflite",
        c_array=f"{stem}_data.cc",
        c_source=f"{stem}.c",
        elf=compiled.elf,
        emulated_elf=compiled.emulated_elf,
        images=compiled.images,
        keras=f"{stem}.keras" if conversion.keras_model is not None else None,
        sha256=tuple((name, hashlib.sha256(outputs[name]).hexdigest()) for name in sorted(outputs)),
    )


def _write(folder: Path, outputs: Mapping[str, bytes]) -> None:
    """Write everything beside the old outputs, then rename: a full disk leaves the old ones whole.

    The report goes last: while it is the old one, its hashes show that the folder is mixed.
    """
    folder.mkdir(parents=True, exist_ok=True)
    changed = [name for name in outputs if not _holds(folder / name, outputs[name])]
    with TemporaryDirectory(dir=folder, prefix=".new-") as fresh:
        for name in changed:
            write_atomically(Path(fresh) / name, outputs[name])
            if name.endswith(".elf"):
                # The host's firmware is a program.
                (Path(fresh) / name).chmod(0o755)
        for name in sorted(changed, key=lambda name: (name == REPORT, name)):
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (Path(fresh) / name).replace(folder / name)


def _holds(path: Path, content: bytes) -> bool:
    """An unchanged file keeps its date, so that what depends on it is not made again."""
    try:
        return path.read_bytes() == content
    except OSError:
        return False
