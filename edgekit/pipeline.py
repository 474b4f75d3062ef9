"""The stages of a build, each kept by content hash: convert, prove, emit, compile.

Everything heavy is imported where it is computed, so that a build whose stages are all kept loads none of it.
"""

from __future__ import annotations

import dataclasses
import functools
import hashlib
import shutil
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from edgekit import host_engine, stage_files, toolchains
from edgekit.build_options import BuildOptions
from edgekit.cache import Cache, Files, own_source, user_cache
from edgekit.engine.options import EngineOptions
from edgekit.engine.types import Sources
from edgekit.errors import UnsupportedOpError, UsageError
from edgekit.model_source import DataSource, ModelSource, objects_identity
from edgekit.progress import Progress, silent
from edgekit.stage_files import Compiled, Emitted, Golden
from edgekit.targets import Target

if TYPE_CHECKING:
    from edgekit.compress import Recipe
    from edgekit.conversion import Conversion
    from edgekit.data import Data
    from edgekit.tflite.proof import Proof
    from edgekit.tflite.shrink import ShrinkOptions, Shrunk

PROOF_SAMPLES = 16
# Random inputs, and as many of the data, on which a build wants the shrunk model equal; `edgekit shrink` takes more.
SHRINK_SAMPLES = 16


@dataclass(frozen=True, slots=True)
class Pipeline:
    """One model on its way; the stages are called in order, each with the result of the one before.

    Attributes:
        source: the model, with data, metric and labels settled.
        recipe: compression to apply; None leaves the model as it is.
        cache: where stage results are kept.
        notes: sentences that the user should read.
        progress: told what happens.
        objects, memory_limit_bytes: as of `BuildOptions`.
    """

    source: ModelSource
    recipe: Recipe | None
    cache: Cache
    notes: tuple[str, ...] = ()
    progress: Progress = silent
    objects: str | None = None
    memory_limit_bytes: int | None = None

    def convert(self) -> Conversion:
        """Compress and convert the model; a .tflite passes through."""
        source = self.source

        def compute() -> Files:
            from edgekit.conversion import convert

            self.progress("convert")
            conversion = convert(
                source.path,
                data=self._data(),
                recipe=self.recipe,
                metric=source.metric,
                base=source.base,
                objects=self.objects,
                memory_limit_bytes=self.memory_limit_bytes,
                resume=resume,
                progress=self.progress,
            )
            if resume is not None:
                shutil.rmtree(resume, ignore_errors=True)
            return stage_files.conversion_files(conversion)

        recipe = ""
        if self.recipe is not None:
            from edgekit.compress import recipe_to_toml

            recipe = recipe_to_toml(self.recipe)
        parts = (
            source.identity(),
            self._data_identity(),
            recipe,
            source.metric or "",
            objects_identity(self.objects),
            _versions(),
            own_source(),
        )
        # What a killed compression had finished; the next one with the same inputs goes on from there.
        resume = self.cache.unfinished("convert", parts) if self.recipe is not None else None
        return stage_files.conversion_of(self.cache.stage("convert", parts, compute), source.name)

    def shrink(self, flatbuffer: bytes, options: ShrinkOptions, samples: int, *, full_integer: bool = True) -> Shrunk:
        """Shrink the flatbuffer losslessly; the engines compare `samples` random inputs, and as many of the data."""

        def compute() -> Files:
            from edgekit.tflite import graph, proof

            parsed = graph.parse(flatbuffer)
            if full_integer:
                proof.require_full_integer(parsed)
            shrunk = host_engine.shrink(parsed, self._data(), options, samples, self.progress)
            return stage_files.shrunk_files(shrunk)

        said = (repr(options), str(samples), str(full_integer), host_engine.compiler_version())
        parts = (flatbuffer, self._data_identity(), *said, _versions(), own_source())
        return stage_files.shrunk_of(self.cache.stage("shrink", parts, compute))

    def prove(self, flatbuffer: bytes) -> tuple[Proof, Golden]:
        """Let the judges run the flatbuffer on real inputs, on seeded random ones where there are no data."""

        def compute() -> Files:
            from edgekit.golden import golden_inputs
            from edgekit.tflite import graph, proof

            self.progress("prove: the judges run the model")
            parsed = graph.parse(flatbuffer)
            proof.require_full_integer(parsed)
            data = self._data()
            inputs, origin = golden_inputs(parsed, data, PROOF_SAMPLES)
            proved = proof.prove(parsed, inputs)
            labels = data.labels if data is not None else ()
            return stage_files.proof_files(proved, Golden(inputs, proved.outputs, origin, labels))

        parts = (flatbuffer, self._data_identity(), str(PROOF_SAMPLES), _versions(), own_source())
        return stage_files.proof_of(self.cache.stage("prove", parts, compute))

    def emit(
        self,
        flatbuffer: bytes,
        engine: str,
        options: EngineOptions,
        tflm_arena_bytes: int | None,
        labels: tuple[str, ...],
        tensor_names: tuple[str, ...] | None = None,
    ) -> Emitted:
        """Write the C of both engines; `options` are those of engine aot.

        `tensor_names` stand for those that a shrunk flatbuffer no longer has.
        """

        def compute() -> Files:
            from edgekit.engine import emit_aot, emit_tflm
            from edgekit.engine.naming import c_identifier
            from edgekit.tflite.graph import parse
            from edgekit.tflite.shrink.chain import named

            self.progress("emit C")
            graph = parse(flatbuffer)
            if tensor_names is not None:
                graph = named(graph, tensor_names)
            stem = c_identifier(self.source.name)
            both = {"tflm": emit_tflm.emit(graph, stem, arena_bytes=tflm_arena_bytes)}
            try:
                both["aot"] = emit_aot.emit(graph, stem, options=options, labels=labels)
            except UnsupportedOpError:
                # An operator that only TFLM knows does not keep the user from TFLM's sources.
                if engine == "aot":
                    raise
            return stage_files.emitted_files(both, graph)

        parts = (
            flatbuffer,
            self.source.name,
            engine,
            repr((options, labels, tflm_arena_bytes, tensor_names)),
            own_source(),
        )
        return stage_files.emitted_of(self.cache.stage("emit", parts, compute), engine)

    def compile(self, sources: Sources, target: Target) -> Compiled:
        """Compile and link the sources of one engine for a target."""

        def compute() -> Files:
            self.progress(f"compile for {target.name}")
            with TemporaryDirectory(prefix="edgekit-") as folder:
                firmware = toolchains.load(target.toolchain).compile(sources, target, Path(folder))
                return stage_files.firmware_files(firmware, Path(folder))

        texts = [f"{path}\0{text}" for path, text in sorted(sources.files.items())]
        parts = (*texts, repr(target), toolchains.version(target.toolchain), own_source())
        return stage_files.firmware_of(self.cache.stage("compile", parts, compute))

    def _data_identity(self) -> bytes:
        return self.source.data.identity() if self.source.data is not None else b""

    def _data(self) -> Data | None:
        return _load_data(self.source.data) if self.source.data is not None else None


def start(source: ModelSource, options: BuildOptions, progress: Progress = silent) -> Pipeline:
    """Settle what options and the model's own folder say together.

    Args:
        source: the model as it was found.
        options: of the user; they win over the model's folder.
        progress: told what happens.

    Returns:
        The pipeline, nothing computed yet.

    Raises:
        UsageError: recipe and sparsity exclude each other, or one of them does not exist.
    """
    recipe = chosen_recipe(source, options)
    notes: tuple[str, ...] = ()
    if recipe is not None and (source.is_flatbuffer or source.path.is_dir()):
        kind = "a .tflite" if source.is_flatbuffer else "a SavedModel"
        notes = (f"{kind} cannot be compressed: it is built as it is; give the .keras or .h5 model to prune it",)
        recipe = None
    given = options.data
    data = given if given is None or isinstance(given, DataSource) else DataSource(str(given), Path())
    settled = dataclasses.replace(
        source,
        data=data or source.data,
        metric=options.metric or source.metric,
        base=data.base if data is not None else source.base,
    )
    cache = user_cache() if options.cached else Cache(None)
    return Pipeline(settled, recipe, cache, notes, progress, options.objects, options.memory_limit_bytes)


def chosen_recipe(source: ModelSource, options: BuildOptions) -> Recipe | None:
    """Return the recipe that was asked for: by the user, else by the model's folder."""
    if options.recipe is not None and options.sparsity is not None:
        raise UsageError(
            "--recipe and --sparsity were both given, expected one of them",
            hint="write the sparsity into the recipe's prune step, or leave the recipe out",
        )
    if options.recipe == "none":
        return None
    if options.recipe is None and options.sparsity is None:
        return source.recipe
    from edgekit.compress import load_recipe, recipe_from_tables

    if options.recipe is not None:
        return load_recipe(options.recipe)
    return recipe_from_tables("prune", [{"technique": "prune", "sparsity": options.sparsity}])


def sha256_of(flatbuffer: bytes) -> str:
    """Return the model's identity."""
    return hashlib.sha256(flatbuffer).hexdigest()


@functools.lru_cache(maxsize=1)
def _load_data(source: DataSource) -> Data:
    from edgekit import data

    return data.load(source.spec, source.base)


@functools.cache
def _versions() -> str:
    names = ("tensorflow", "keras", "numpy", "ai-edge-litert", "tflite-micro")
    return " ".join(f"{name}={_version(name)}" for name in names)


def _version(name: str) -> str:
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return "absent"
