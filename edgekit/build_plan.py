"""Build one plan of a model that is converted and proved: emit, check that it fits, compile, report."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

from edgekit import build_folder
from edgekit.build_options import BuildOptions
from edgekit.engine.options import EngineOptions
from edgekit.errors import DoesNotFitError, ToolchainError, UnknownNameError
from edgekit.pipeline import Pipeline
from edgekit.report.types import Artifacts, BuildReport, Flash, ModelFacts, ProofFacts, Ram
from edgekit.stage_files import Compiled, Emitted, Golden
from edgekit.targets import Target

if TYPE_CHECKING:
    from edgekit.conversion import Conversion
    from edgekit.tflite.proof import Proof
    from edgekit.tflite.shrink import Shrunk

ENGINES = ("aot", "tflm")
GOLDEN = "golden.npz"
# Binds the model to the harness: with it the folder holds all that is compiled.
BINDING = "ek_model.h"

# What a kernel and the harness need at least; the linker script's reserve counts where it is larger.
STACK_ALLOWANCE_BYTES = 2048

_STREAMED = (
    "the input is streamed: the application hands it over row by row; here the harness keeps what the host sent in its "
    "static RAM"
)


@dataclass(frozen=True, slots=True)
class Ready:
    """A model that is converted and proved, and where it goes."""

    line: Pipeline
    conversion: Conversion
    shrunk: Shrunk | None
    proof: Proof
    golden: Golden
    board: Target
    folder: Path


def build_plan(ready: Ready, options: BuildOptions) -> tuple[BuildReport, dict[str, bytes]]:
    """Emit and compile the plan that the options ask for.

    Returns:
        The report, and every file but that of the report; nothing is written, but the sources for a toolchain that
        lacks the engine's library.

    Raises:
        ModelError: engine aot cannot run the model, or it does not fit the target.
        ArenaBoundError: no arena is as small as it must be.
        ToolchainError: the compiler is missing or failed.
    """
    line, conversion, shrunk, golden, board = ready.line, ready.conversion, ready.shrunk, ready.golden, ready.board
    named = (line.source.labels or golden.labels, shrunk.tensor_names if shrunk is not None else None)
    engine = engine_options(options, board)
    emitted = line.emit(conversion.flatbuffer, options.engine, engine, ready.proof.tflm_arena_bytes, *named)
    require_fit(emitted, board)
    outputs = _sources(conversion, emitted, golden)
    compiled = _compile(line, emitted, board, (ready.folder, outputs))
    outputs |= compiled.files
    report = BuildReport(
        folder=ready.folder,
        target=board.name,
        engine=options.engine,
        compiler=compiled.compiler,
        model=_model_facts(line, emitted, shrunk),
        ram=_ram(compiled, board),
        flash=_flash(compiled, board),
        flash_bytes_read=emitted.sources.flash_bytes_read,
        optimize=emitted.sources.optimize,
        proof=proof_facts(ready.proof, golden),
        artifacts=_artifacts(conversion, emitted, compiled, outputs),
        metrics=conversion.metric,
        compression=conversion.compression,
        simulated=line.source.simulated,
        notes=_notes(line, conversion, options),
        shrink=shrunk.certificate if shrunk is not None else None,
    )
    return report, outputs


def _notes(line: Pipeline, conversion: Conversion, options: BuildOptions) -> tuple[str, ...]:
    notes = (*line.notes, *conversion.notes)
    return (*notes, _STREAMED) if options.stream_input else notes


def _model_facts(line: Pipeline, emitted: Emitted, shrunk: Shrunk | None) -> ModelFacts:
    """MACs are those of the model as converted: that is the work which a shrunk model does with fewer."""
    macs = shrunk.certificate.macs_before if shrunk is not None else emitted.macs
    return ModelFacts(line.source.name, emitted.sources.model_sha256, macs)


def engine_options(options: BuildOptions, target: Target | None) -> EngineOptions:
    """Return what engine aot needs to know; raise UnknownNameError unless there is such an engine and such an aim."""
    if options.engine not in ENGINES:
        raise UnknownNameError("engine", options.engine, ENGINES)
    return options.for_engine(target)


def _compile(line: Pipeline, emitted: Emitted, target: Target, kept: tuple[Path, Mapping[str, bytes]]) -> Compiled:
    """Compile, and check that it fits; without the engine's library, leave (folder, files) as `kept` says."""
    try:
        compiled = line.compile(emitted.sources, target)
    except DoesNotFitError as error:
        raise _with_tensors(error, emitted, target) from error
    except ToolchainError as error:
        if emitted.sources.engine == "tflm":
            folder, files = kept
            build_folder.write_files(folder, files)
            error.hint = f"{error.hint}; the sources for it were written to {folder}, the firmware was not"
        raise
    require_fit(emitted, target, compiled)
    return compiled


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
