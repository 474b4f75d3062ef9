"""What each stage of a build made, as files for the cache, and back."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any

from edgekit.cache import Files
from edgekit.engine.types import Sources

if TYPE_CHECKING:
    from edgekit.conversion import Conversion
    from edgekit.tflite.graph import Graph
    from edgekit.tflite.proof import Proof
    from edgekit.tflite.shrink import Shrunk
    from edgekit.toolchains import Firmware

_HARNESS_BINDING = PurePosixPath("ek_model.h")


@dataclass(frozen=True, slots=True)
class Golden:
    """Inputs with the outputs that the judge gave for them.

    Attributes:
        inputs, outputs: bytes of all inputs, of all outputs, one entry an inference.
        origin: "test data", "training data" or "random inputs".
        labels: class names that came with the data.
    """

    inputs: tuple[bytes, ...]
    outputs: tuple[bytes, ...]
    origin: str
    labels: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Emitted:
    """What both engines wrote, and what the budget check needs to know of the graph.

    Attributes:
        sources: of the engine that runs.
        files: everything for the user, both engines.
        macs: of one inference.
        activations, constants: up to three (tensor name, bytes), largest first.
    """

    sources: Sources
    files: Mapping[PurePosixPath, str]
    macs: int
    activations: tuple[tuple[str, int], ...]
    constants: tuple[tuple[str, int], ...]


@dataclass(frozen=True, slots=True)
class Compiled:
    """A linked firmware, not yet in the user's folder.

    Attributes:
        elf, emulated_elf: file names.
        images: (flash address, file name), lowest address first.
        weights_bytes, kernels_bytes, application_bytes, static_bytes, stack_reserved_bytes, arena_bytes: as of
            `Firmware`.
        compiler: name and version.
        files: file name -> content.
    """

    elf: str
    emulated_elf: str
    images: tuple[tuple[int, str], ...]
    weights_bytes: int
    kernels_bytes: int
    application_bytes: int
    static_bytes: int
    stack_reserved_bytes: int
    arena_bytes: int
    compiler: str
    files: Files


def conversion_files(conversion: Conversion) -> Files:
    """Return a conversion as files."""
    facts = {
        "metric": dataclasses.asdict(conversion.metric) if conversion.metric is not None else None,
        "compression": [dataclasses.asdict(step) for step in conversion.compression],
        "converted": conversion.converted,
        "notes": conversion.notes,
    }
    files = {"model.tflite": conversion.flatbuffer, "conversion.json": json.dumps(facts).encode()}
    return files if conversion.keras_model is None else {**files, "model.keras": conversion.keras_model}


def conversion_of(files: Files, name: str) -> Conversion:
    """Return the conversion that `conversion_files` wrote."""
    from edgekit.compress import StepResult
    from edgekit.conversion import Conversion, MetricResult

    facts = json.loads(files["conversion.json"])
    return Conversion(
        flatbuffer=files["model.tflite"],
        name=name,
        metric=MetricResult(**facts["metric"]) if facts["metric"] is not None else None,
        compression=tuple(StepResult.from_json(step) for step in facts["compression"]),
        converted=facts["converted"],
        keras_model=files.get("model.keras"),
        notes=tuple(facts["notes"]),
    )


def shrunk_files(shrunk: Shrunk) -> Files:
    """Return a shrunk model with its certificate as files."""
    facts = {"certificate": shrunk.certificate.to_json(), "tensor_names": shrunk.tensor_names}
    return {"model.tflite": shrunk.flatbuffer, "shrunk.json": json.dumps(facts).encode()}


def shrunk_of(files: Files) -> Shrunk:
    """Return what `shrunk_files` wrote."""
    from edgekit.tflite.shrink import Certificate, Shrunk

    facts = json.loads(files["shrunk.json"])
    return Shrunk(files["model.tflite"], Certificate.from_json(facts["certificate"]), tuple(facts["tensor_names"]))


def proof_files(proof: Proof, golden: Golden) -> Files:
    """Return a proof with its inputs as files."""
    facts = {
        "judges": proof.judges,
        "equal": proof.equal,
        "largest_step": proof.largest_step,
        "tflm_arena_bytes": proof.tflm_arena_bytes,
        "origin": golden.origin,
        "labels": golden.labels,
        "samples": len(golden.inputs),
    }
    joined = {"inputs": b"".join(golden.inputs), "outputs": b"".join(golden.outputs)}
    return {"proof.json": json.dumps(facts).encode(), **joined}


def proof_of(files: Files) -> tuple[Proof, Golden]:
    """Return the proof and its inputs that `proof_files` wrote."""
    from edgekit.tflite.proof import Proof

    facts = json.loads(files["proof.json"])
    samples = facts["samples"]
    outputs = _split(files["outputs"], samples)
    golden = Golden(_split(files["inputs"], samples), outputs, facts["origin"], tuple(facts["labels"]))
    judges = tuple(facts["judges"])
    equal, largest = facts["equal"], facts["largest_step"]
    return Proof((), judges, samples, equal, largest, outputs, facts["tflm_arena_bytes"]), golden


def _split(joined: bytes, count: int) -> tuple[bytes, ...]:
    size = len(joined) // count
    return tuple(joined[index * size : (index + 1) * size] for index in range(count))


def emitted_files(both: Mapping[str, Sources], graph: Graph) -> Files:
    """Return the sources of both engines, and facts about the graph, as files."""
    from edgekit.tflite.macs import macs

    facts: dict[str, Any] = {"macs": macs(graph), "engines": {}}
    for label, constant in (("activations", False), ("constants", True)):
        sizes = {(tensor.name, tensor.size_bytes) for tensor in graph.tensors if (tensor.data is not None) is constant}
        facts[label] = sorted(sizes, key=lambda entry: (-entry[1], entry[0]))[:3]
    files: dict[str, bytes] = {}
    for engine, sources in both.items():
        facts["engines"][engine] = {
            field.name: getattr(sources, field.name) for field in dataclasses.fields(sources) if field.name != "files"
        }
        files |= {f"{engine}/{path}": text.encode() for path, text in sources.files.items()}
    return {"emitted.json": json.dumps(facts).encode(), **files}


def emitted_of(files: Files, engine: str) -> Emitted:
    """Return what `emitted_files` wrote; `engine` is the one that runs."""
    facts = json.loads(files["emitted.json"])
    texts = {
        name: {
            PurePosixPath(path).relative_to(name): content.decode()
            for path, content in files.items()
            if path.startswith(f"{name}/")
        }
        for name in facts["engines"]
    }
    everything = {path: text for name in texts for path, text in texts[name].items() if path != _HARNESS_BINDING}
    return Emitted(
        sources=Sources(files=texts[engine], **facts["engines"][engine]),
        files=everything,
        macs=facts["macs"],
        activations=tuple((name, size) for name, size in facts["activations"]),
        constants=tuple((name, size) for name, size in facts["constants"]),
    )


def firmware_files(firmware: Firmware, folder: Path) -> Files:
    """Return a firmware that was compiled into `folder` as files."""

    def name(path: Path) -> str:
        return path.relative_to(folder).as_posix()

    images = [(address, name(path)) for address, path in firmware.images]
    numbers = ("weights_bytes", "kernels_bytes", "application_bytes", "static_bytes", "stack_reserved_bytes")
    facts = {
        "elf": name(firmware.elf),
        "emulated_elf": name(firmware.emulated_elf),
        "images": images,
        **{number: getattr(firmware, number) for number in numbers},
        "arena_bytes": firmware.arena_bytes,
        "compiler": firmware.compiler,
    }
    kept = {firmware.elf, firmware.emulated_elf, *(path for _, path in firmware.images)}
    return {"firmware.json": json.dumps(facts).encode(), **{name(path): path.read_bytes() for path in kept}}


def firmware_of(files: Files) -> Compiled:
    """Return what `firmware_files` wrote."""
    facts = json.loads(files["firmware.json"])
    images = tuple((address, path) for address, path in facts.pop("images"))
    content = {name: data for name, data in files.items() if name != "firmware.json"}
    return Compiled(images=images, files=content, **facts)
