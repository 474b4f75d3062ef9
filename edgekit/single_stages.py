"""The stages that users call alone: a model to a proved .tflite, a .tflite to C."""

from __future__ import annotations

import dataclasses
from pathlib import Path

from edgekit import pipeline, targets
from edgekit.atomic import write_atomically
from edgekit.build_options import BuildOptions
from edgekit.build_plan import engine_options, proof_facts
from edgekit.errors import UsageError
from edgekit.model_source import resolve
from edgekit.progress import Progress, silent
from edgekit.report.single import CompressReport, ConvertReport, EmitReport, ShrinkReport
from edgekit.tflite.shrink import ShrinkOptions


def convert_model(
    model: Path,
    *,
    out: Path | None = None,
    options: BuildOptions | None = None,
    metadata: bool = False,
    progress: Progress = silent,
) -> ConvertReport:
    """Compress, convert and prove a model, and write the .tflite.

    Args:
        model: whatever `edgekit build` takes.
        out: file to write; None chooses `<model>.tflite` in the current folder.
        options: data, compression, metric.
        metadata: write what phone libraries read: name, normalization of images, labels of the model's folder or data.
        progress: told what happens.

    Raises:
        UsageError: a name, an option or the data is wrong; or the output would overwrite the model.
        ModelError: the model is damaged or cannot be converted.
    """
    line = pipeline.start(resolve(model), options or BuildOptions(), progress)
    path = out or Path(f"{line.source.name}.tflite")
    if path.exists() and line.source.path.exists() and path.samefile(line.source.path):
        raise UsageError(f"{path} is the model itself", hint="give another file with --out")
    conversion = line.convert()
    proof, golden = line.prove(conversion.flatbuffer)
    if metadata:
        from edgekit.tflite.metadata import Description, with_metadata

        said = Description(line.source.name, labels=line.source.labels or golden.labels)
        conversion = dataclasses.replace(conversion, flatbuffer=with_metadata(conversion.flatbuffer, said))
    write_atomically(path, conversion.flatbuffer)
    return ConvertReport(
        path,
        line.source.name,
        conversion,
        pipeline.sha256_of(conversion.flatbuffer),
        proof_facts(proof, golden),
        line.source.simulated,
        (*line.notes, *conversion.notes),
    )


def compress_model(
    model: Path, *, out: Path | None = None, options: BuildOptions | None = None, progress: Progress = silent
) -> CompressReport:
    """Compress a Keras model and write it; its metric is that of the int8 model it converts to.

    Args:
        model: `.keras`, `.h5`, or a folder with a model.toml.
        out: file to write; None chooses `<model>-compressed.keras` in the current folder.
        options: data, compression, metric.
        progress: told what happens.

    Raises:
        UsageError: no compression was asked for, or the model is of a kind that cannot be compressed.
        ModelError: the model is damaged or cannot be compressed.
    """
    line = pipeline.start(resolve(model), options or BuildOptions(), progress)
    if line.recipe is None:
        reason = line.notes[0] if line.notes else "no compression was asked for"
        raise UsageError(reason, hint="give a Keras model with --sparsity 0.5 or --recipe small")
    conversion = line.convert()
    if conversion.keras_model is None:
        raise UsageError("the recipe has no steps", hint="give --sparsity 0.5 or --recipe small")
    path = out or Path(f"{line.source.name}-compressed.keras")
    if path.exists() and path.samefile(line.source.path):
        raise UsageError(f"{path} is the model itself", hint="give another file with --out")
    write_atomically(path, conversion.keras_model)
    return CompressReport(path, line.source.name, conversion, line.source.simulated)


def shrink_model(
    model: Path,
    *,
    out: Path | None = None,
    options: BuildOptions | None = None,
    shrinking: ShrinkOptions | None = None,
    samples: int = 200,
    progress: Progress = silent,
) -> ShrinkReport:
    """Shrink a .tflite losslessly, certify it, and write it; a Keras model is converted first.

    Args:
        model: whatever `edgekit build` takes.
        out: file to write; None chooses `<model>-shrunk.tflite` in the current folder, `<model>-tflm.tflite` where it
            is for TFLM alone.
        options: data, compression, metric.
        shrinking: what stays in the file.
        samples: random inputs for the certificate, and as many of the data.
        progress: told what happens.

    Raises:
        UsageError: a name, an option or the data is wrong; or the output would overwrite the model.
        ModelError: the model is damaged, cannot be converted, or no engine runs it.
        UntrustworthyError: outputs differ although nothing was taken away.
    """
    line = pipeline.start(resolve(model), options or BuildOptions(), progress)
    kind = "tflm" if shrinking is not None and shrinking.decode else "shrunk"
    path = out or Path(f"{line.source.name}-{kind}.tflite")
    if path.exists() and line.source.path.exists() and path.samefile(line.source.path):
        raise UsageError(f"{path} is the model itself", hint="give another file with --out")
    flatbuffer = line.convert().flatbuffer
    shrunk = line.shrink(flatbuffer, shrinking or ShrinkOptions(), samples, full_integer=False)
    write_atomically(path, shrunk.flatbuffer)
    return ShrinkReport(path, line.source.name, shrunk.certificate, (*line.notes, *shrunk.certificate.notes))


def emit_model(
    model: Path,
    *,
    target: str | None = None,
    out: Path | None = None,
    options: BuildOptions | None = None,
    progress: Progress = silent,
) -> EmitReport:
    """Write the C of both engines for a full-integer .tflite.

    Args:
        model: the .tflite.
        target: its features choose kernel variants; None takes the plain C99 ones.
        out: folder to write into; None chooses `build/<model>/c`.
        options: the engine to report on.
        progress: told what happens.

    Raises:
        UsageError: the model is of another kind.
        ModelError: the model is damaged, not full-integer, or has an operator that the engine cannot run.
    """
    options = options or BuildOptions()
    engine = engine_options(options, targets.load(target) if target is not None else None)
    line = pipeline.start(resolve(model), options, progress)
    if not line.source.is_flatbuffer:
        raise UsageError(f"{model} is no .tflite, which emit expects", hint="first `edgekit convert MODEL --data ...`")
    flatbuffer = line.convert().flatbuffer
    proof, _ = line.prove(flatbuffer)
    emitted = line.emit(flatbuffer, options.engine, engine, proof.tflm_arena_bytes, line.source.labels)
    folder = out or Path("build") / line.source.name / "c"
    for path, text in emitted.files.items():
        write_atomically(folder / path, text)
    sources = emitted.sources
    names = tuple(sorted(path.as_posix() for path in emitted.files))
    return EmitReport(
        folder,
        names,
        line.source.name,
        sources.model_sha256,
        emitted.macs,
        options.engine,
        sources.arena_bytes,
        sources.weights_bytes,
        sources.optimize,
    )
