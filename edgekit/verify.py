"""One set of inputs through every stage of a model's life, and the first tensor in which two stages part."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
from numpy.typing import NDArray

from edgekit import build_folder, data, golden, pipeline
from edgekit.bench import flash, open_link
from edgekit.build import BuildOptions, build
from edgekit.conversion import Conversion
from edgekit.errors import EdgeKitError, ModelError, PortError, ToolchainError
from edgekit.harness.measure import collect
from edgekit.metrics import sqnr_db
from edgekit.model_source import resolve
from edgekit.progress import Progress, silent
from edgekit.report.verification import MICROCONTROLLERS, PHONES, Stage, Verification
from edgekit.tflite import interpreters, proof
from edgekit.tflite.fidelity import Divergence, LayerFidelity, first_divergence, layer_fidelity
from edgekit.tflite.float_twin import FloatTwin, float_twin
from edgekit.tflite.graph import Graph, parse
from edgekit.tflite.interpreters import Interpreter
from edgekit.tflite.quantize import dequantize_output
from edgekit.tflite.tap import Tapped, tap

SAMPLES = 8
Outputs = tuple[bytes, ...]
# Runs a flatbuffer on all inputs.
Runner = Callable[[bytes], Outputs]


@dataclasses.dataclass(frozen=True, slots=True)
class VerifyOptions:
    """What a verification may be told.

    Attributes:
        build: data, recipe and so on, as for a build.
        samples: inputs to send through every stage.
        port: serial port of a board with the target's core; None leaves the board out.
    """

    build: BuildOptions = dataclasses.field(default_factory=BuildOptions)
    samples: int = SAMPLES
    port: str | None = None


@dataclasses.dataclass(frozen=True, slots=True, eq=False)
class _Subject:
    """What is verified."""

    graph: Graph
    tapped: Tapped
    inputs: Outputs
    twin: FloatTwin | None


@dataclasses.dataclass(frozen=True, slots=True, eq=False)
class _Party:
    """A stage that ran, for later ones to be held against."""

    name: str
    runner: Runner
    outputs: Outputs


def verify(
    model: str | Path, target: str, *, options: VerifyOptions | None = None, progress: Progress = silent
) -> Verification:
    """Send inputs through Keras, LiteRT, TFLM, the aot engine on the host, an emulated core and a board.

    Args:
        model: what `edgekit build` takes.
        target: whose core is emulated, and whose board is at the port.
        options: data, number of samples, port.
        progress: told what happens.

    Returns:
        What each stage gave, where two first part, and how true each tensor is to the float model.

    Raises:
        UsageError: a name or an option is wrong.
        ModelError: the model is damaged, cannot be converted, or no judge runs it.
        DataError: the data does not fit the model.
    """
    options = options or VerifyOptions()
    line = pipeline.start(resolve(Path(model)), options.build, progress)
    conversion = line.convert()
    graph = parse(conversion.flatbuffer)
    proof.require_full_integer(graph)
    samples = data.load(line.source.data.spec, line.source.data.base) if line.source.data is not None else None
    inputs, origin = golden.golden_inputs(graph, samples, options.samples)
    twin = None
    if conversion.converted and samples is not None:
        chosen = golden.spread_samples(samples, options.samples)[0]
        twin = _float_twin(conversion, line.source.path, chosen, options.build.objects, progress)
    subject = _Subject(graph, tap(graph), inputs, twin)
    stages = _float_stages(subject)
    host, judge = _host_stages(subject, progress)
    engines = _engine_stages(subject, judge, target, options, progress)
    layers = _layers(subject, judge)
    return Verification(
        model=line.source.name,
        sha256=graph.sha256,
        samples=len(inputs),
        samples_from=origin,
        simulated=line.source.simulated,
        stages=(*stages, *host, *engines),
        layers=layers,
        compared_layers=(len(layers), len(subject.tapped.tensors)),
        trusted=not any(stage.equal is False for stage in engines),
    )


def _float_twin(
    conversion: Conversion, model: Path, samples: NDArray[np.float32], objects: str | None, progress: Progress
) -> FloatTwin:
    """Of the compressed model where something was compressed: int8 is made from that one."""
    if conversion.keras_model is None:
        return float_twin(model, samples, objects, progress)
    with TemporaryDirectory(prefix="edgekit-") as folder:
        compressed = Path(folder) / "compressed.keras"
        compressed.write_bytes(conversion.keras_model)
        return float_twin(compressed, samples, objects, progress)


def _float_stages(subject: _Subject) -> list[Stage]:
    twin = subject.twin
    if twin is None:
        return [Stage("float model", skipped="a .tflite, or a model without data, has no float twin to look at")]
    ratio = sqnr_db(twin.outputs, twin.converted)
    return [
        Stage("float model as the framework runs it"),
        Stage(f"float model in LiteRT {twin.version}", compared_with="the framework", sqnr_db=ratio),
    ]


def _host_stages(subject: _Subject, progress: Progress) -> tuple[list[Stage], _Party]:
    """Every interpreter on the host; the judge of microcontrollers is TFLM, LiteRT's reference kernels without it."""
    counts_for = {
        Interpreter.LITERT_REFERENCE: MICROCONTROLLERS,
        Interpreter.LITERT_XNNPACK: PHONES,
        Interpreter.TFLITE_RUNTIME: PHONES,
        Interpreter.TFLM: MICROCONTROLLERS,
    }
    stages: list[Stage] = []
    reference: _Party | None = None
    judge: _Party | None = None
    for interpreter, purpose in counts_for.items():
        progress(f"verify: {interpreter.label}")
        stage, party = _stage(
            subject,
            interpreter.label,
            _interpreter_runner(subject.inputs, interpreter),
            reference,
        )
        stages.append(dataclasses.replace(stage, counts_for=purpose))
        reference = reference or party
        judge = party or judge if purpose == MICROCONTROLLERS else judge
    if judge is None:
        raise ModelError(
            f"no judge runs the model: {stages[-1].skipped}",
            hint="`edgekit check MODEL` says which operators are at fault",
        )
    return stages, judge


def _engine_stages(
    subject: _Subject, judge: _Party, target: str, options: VerifyOptions, progress: Progress
) -> list[Stage]:
    """The aot engine on the host, on an emulated core, on a board."""
    places: list[tuple[str, str, str | None]] = [("aot on the host", "host", None)]
    if target != "host":
        places.append((f"aot on an emulated core, {target}", target, None))
        if options.port is not None:
            places.append((f"aot on a board, {target}", target, options.port))
    stages = []
    for name, board, port in places:
        progress(f"verify: {name}")

        def on_device(flatbuffer: bytes, board: str = board, port: str | None = port) -> Outputs:
            return _on_device(flatbuffer, subject.inputs, board, port, progress)

        stage, _ = _stage(subject, name, on_device, judge, ours=True)
        stages.append(dataclasses.replace(stage, counts_for=MICROCONTROLLERS))
    return stages


def _stage(
    subject: _Subject, name: str, runner: Runner, against: _Party | None, *, ours: bool = False
) -> tuple[Stage, _Party | None]:
    """Run one stage and hold it against an earlier one."""
    try:
        outputs = runner(subject.graph.flatbuffer)
    except (ModelError, ToolchainError, PortError) as reason:
        return Stage(name, skipped=reason.what), None
    ratio = None
    if subject.twin is not None:
        ratio = sqnr_db(
            subject.twin.outputs, dequantize_output(subject.graph, outputs).reshape(subject.twin.outputs.shape)
        )
    party = _Party(name, runner, outputs)
    if against is None:
        return Stage(name, sqnr_db=ratio), party
    pairs = zip(outputs, against.outputs, strict=True)
    step = max(proof.largest_step(subject.graph, mine, theirs) for mine, theirs in pairs)
    divergence = _divergence(subject, party, against, ours=ours) if step else None
    return Stage(name, "", against.name, step == 0, step, ratio, divergence), party


def _divergence(subject: _Subject, party: _Party, against: _Party, *, ours: bool) -> Divergence | None:
    """Look inside of both; None where one of them cannot run the model with all its insides shown."""
    flatbuffer = subject.tapped.graph.flatbuffer
    try:
        mine, theirs = party.runner(flatbuffer), against.runner(flatbuffer)
    except EdgeKitError:
        return None
    return first_divergence(subject.tapped, mine, theirs, ours=ours)


def _interpreter_runner(inputs: Outputs, interpreter: Interpreter) -> Runner:
    return lambda flatbuffer: interpreters.run(flatbuffer, inputs, interpreter).outputs


def _on_device(flatbuffer: bytes, inputs: Outputs, target: str, port: str | None, progress: Progress) -> Outputs:
    """Build the flatbuffer for a target and collect what the device answers."""
    with TemporaryDirectory(prefix="edgekit-") as folder:
        model = Path(folder) / "verified.tflite"
        model.write_bytes(flatbuffer)
        # As it is: what is compared has all its insides as outputs.
        options = BuildOptions(shrink=False)
        report = build(model, target, out=Path(folder) / "build", options=options, progress=progress)
        firmware = build_folder.read(report.folder, target).firmware
        if port is not None:
            flash(firmware, port, progress)
        with open_link(firmware, port) as link:
            return collect(link, firmware, inputs, progress)


def _layers(subject: _Subject, judge: _Party) -> tuple[LayerFidelity, ...]:
    if subject.twin is None:
        return ()
    return layer_fidelity(subject.tapped, judge.runner(subject.tapped.graph.flatbuffer), subject.twin.tensors)
