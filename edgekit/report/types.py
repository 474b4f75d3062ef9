"""What a build and a bench run report; the JSON forms have fixed fields (DESIGN section 6)."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from edgekit.compress import StepResult
    from edgekit.conversion import MetricResult
    from edgekit.tflite.shrink import Certificate


@dataclass(frozen=True, slots=True)
class ModelFacts:
    """Which model it is: `sha256` of the flatbuffer is its identity; `macs` of one inference, before any shrinking."""

    name: str
    sha256: str
    macs: int


@dataclass(frozen=True, slots=True)
class Ram:
    """RAM of a firmware.

    Attributes:
        arena_bytes: activations and work memory of the model.
        engine_bytes: what the engine keeps outside the arena.
        stack_peak_bytes: painted-stack high-water mark; None until it was measured.
        static_bytes: .data + .bss without arena, engine and stack.
        stack_reserved_bytes: what the linker script keeps for the stack.
        available_bytes: what the target has.
    """

    arena_bytes: int
    engine_bytes: int
    stack_peak_bytes: int | None
    static_bytes: int
    stack_reserved_bytes: int
    available_bytes: int

    @property
    def without_stack_bytes(self) -> int:
        """All RAM but the stack: known when the firmware is linked."""
        return self.arena_bytes + self.engine_bytes + self.static_bytes

    @property
    def total_bytes(self) -> int | None:
        """All RAM in use; None while the stack is not measured."""
        return None if self.stack_peak_bytes is None else self.without_stack_bytes + self.stack_peak_bytes

    def to_json(self) -> dict[str, Any]:
        """Return the object `ram` of DESIGN section 6."""
        return {**dataclasses.asdict(self), "total_bytes": self.total_bytes}


@dataclass(frozen=True, slots=True)
class Flash:
    """Flash of a firmware: the model's constants, the engine's code and tables, and the rest."""

    weights_bytes: int
    kernels_bytes: int
    application_bytes: int
    available_bytes: int

    @property
    def total_bytes(self) -> int:
        """Flash that the firmware fills."""
        return self.weights_bytes + self.kernels_bytes + self.application_bytes

    def to_json(self) -> dict[str, Any]:
        """Return the object `flash` of DESIGN section 6."""
        return {**dataclasses.asdict(self), "total_bytes": self.total_bytes}


@dataclass(frozen=True, slots=True)
class ProofFacts:
    """How the int8 model was proved.

    Attributes:
        judges: names with versions of the interpreters that ran.
        samples: inferences compared.
        equal: the judges agree on every byte; None where only one ran.
        largest_step: largest difference between them, in steps of the output's scale; None where only one ran.
        inputs: where the inputs came from: "test data", "training data" or "random inputs".
        tflm_arena_bytes: arena that the TFLM interpreter used on the host; None where it did not run.
    """

    judges: tuple[str, ...]
    samples: int
    equal: bool | None
    largest_step: int | None
    inputs: str
    tflm_arena_bytes: int | None


@dataclass(frozen=True, slots=True)
class Artifacts:
    """Where each output lies, relative to the build folder.

    Attributes:
        tflite: the flatbuffer.
        c_array: the flatbuffer as a C array for TensorFlow Lite Micro.
        c_source: the aot engine's C.
        elf: firmware for the chip.
        emulated_elf: firmware for the emulator; the same as `elf` unless the target links twice.
        images: (flash address, file), lowest address first.
        keras: the compressed Keras model; None where nothing was compressed.
        sha256: of every file, to be checked before it is used.
    """

    tflite: str
    c_array: str
    c_source: str
    elf: str
    emulated_elf: str
    images: tuple[tuple[int, str], ...]
    keras: str | None
    sha256: tuple[tuple[str, str], ...]

    def to_json(self) -> dict[str, Any]:
        """Return the object `artifacts` of DESIGN section 6."""
        images = [{"address": address, "path": path} for address, path in self.images]
        return {**dataclasses.asdict(self), "images": images, "sha256": dict(self.sha256)}


@dataclass(frozen=True, slots=True)
class BuildReport:
    """What a build made and what it takes of the target.

    Attributes:
        folder: where the artifacts lie.
        target, engine, compiler: what it was built for, with which engine and compiler.
        model, ram, flash, proof, artifacts: see their types.
        flash_bytes_read: weight bytes that one inference reads.
        optimize: which plan engine aot took: "speed", "balanced", "ram" or "flash"; None of engine tflm.
        metrics: None without labels.
        compression: one entry a recipe step.
        simulated: metric data are simulated.
        notes: sentences that the user should read.
        shrink: what lossless shrinking took, and who found the result equal; None where it was not wanted.
    """

    folder: Path
    target: str
    engine: str
    compiler: str
    model: ModelFacts
    ram: Ram
    flash: Flash
    flash_bytes_read: int
    proof: ProofFacts
    artifacts: Artifacts
    optimize: str | None = None
    metrics: MetricResult | None = None
    compression: tuple[StepResult, ...] = ()
    simulated: bool = False
    notes: tuple[str, ...] = ()
    shrink: Certificate | None = None

    def to_json(self) -> dict[str, Any]:
        """Return the object that `build --json` prints and report.json holds; it names no place of this machine."""
        return {
            "target": self.target,
            "engine": self.engine,
            "optimize": self.optimize,
            "model": dataclasses.asdict(self.model),
            "ram": self.ram.to_json(),
            "flash": self.flash.to_json(),
            "flash_bytes_read": self.flash_bytes_read,
            "metrics": dataclasses.asdict(self.metrics) if self.metrics is not None else None,
            "simulated_data": self.simulated,
            "compression": [dataclasses.asdict(step) for step in self.compression],
            "proof": dataclasses.asdict(self.proof),
            "shrink": self.shrink.to_json() if self.shrink is not None else None,
            "artifacts": self.artifacts.to_json(),
            "tools": {"compiler": self.compiler, "emulator": None},
            "notes": list(self.notes),
        }


@dataclass(frozen=True, slots=True)
class Spread:
    """Median, smallest and largest of the runs."""

    median: float
    min: float
    max: float


@dataclass(frozen=True, slots=True)
class LayerCost:
    """What one operator costs in one inference.

    Attributes:
        operator: its position in the built model's graph.
        kind: e.g. "CONV_2D".
        description: its kind, and the shapes of its first input and its output.
        instructions: counted on the core.
        share: of all layers' instructions, 0 to 1.
        macs: multiply-accumulates of the built model.
        weights_bytes: its constants as stored.
        weights_bytes_read: of them, those that an inference reads, each as often as it is read by a call.
        input_bytes, output_bytes: of its activations.
        calls: of its kernels; more than its parts where layers take turns row by row.
    """

    operator: int
    kind: str
    description: str
    instructions: int
    share: float
    macs: int
    weights_bytes: int
    weights_bytes_read: int
    input_bytes: int
    output_bytes: int
    calls: int


@dataclass(frozen=True, slots=True)
class BenchReport:
    """What was measured on a board or an emulated core.

    Attributes:
        target, engine, model, ram, flash, flash_bytes_read: as of the build, with the stack measured.
        clock: what `per_run` counts (DESIGN section 6).
        runs: inferences measured.
        per_run: microseconds where the clock is a time; instructions or cycles where it counts them.
        compared, match: inferences whose every output byte was compared; all of them equal.
        judge: who gave the expected outputs.
        inputs: where the inputs came from.
        compiler, emulator: with versions; no emulator on hardware.
        where: one line: where it ran.
        optimize: which plan it was built with; None of engine tflm.
        layers: what each layer costs in the first of the inferences; None unless it was asked for.
        between_layers: instructions of that inference that no layer has: the calls themselves.
    """

    target: str
    engine: str
    model: ModelFacts
    ram: Ram
    flash: Flash
    flash_bytes_read: int
    clock: str
    runs: int
    per_run: Spread
    compared: int
    match: bool
    judge: str
    inputs: str
    compiler: str
    emulator: str | None
    where: str
    optimize: str | None = None
    layers: tuple[LayerCost, ...] | None = None
    between_layers: int | None = None

    @property
    def unit(self) -> str:
        """Name of the JSON field that holds `per_run`: a count is never called a time."""
        counted = self.clock.split(",")[0]
        return counted if counted in {"instructions", "cycles"} else "latency_us"

    def to_json(self) -> dict[str, Any]:
        """Return the object that `bench --json` prints."""
        spread = dataclasses.asdict(self.per_run)
        return {
            "target": self.target,
            "engine": self.engine,
            "optimize": self.optimize,
            "model": dataclasses.asdict(self.model),
            "ram": self.ram.to_json(),
            "flash": self.flash.to_json(),
            "clock": self.clock,
            "runs": self.runs,
            **{unit: spread if unit == self.unit else None for unit in ("instructions", "cycles", "latency_us")},
            "flash_bytes_read": self.flash_bytes_read,
            "outputs": {"compared": self.compared, "match": self.match, "judge": self.judge, "inputs": self.inputs},
            "tools": {"compiler": self.compiler, "emulator": self.emulator},
            "where": self.where,
            "layers": None if self.layers is None else [dataclasses.asdict(layer) for layer in self.layers],
            "between_layers": self.between_layers,
        }
