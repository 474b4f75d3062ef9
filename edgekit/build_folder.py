"""The folder that a build leaves: written so that an interruption spares the old one, read back with every hash
checked."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from tempfile import TemporaryDirectory
from typing import Any

from edgekit import targets
from edgekit.atomic import write_atomically
from edgekit.errors import UntrustworthyError, UsageError
from edgekit.golden import unpack_golden
from edgekit.report.types import BuildReport, Flash, ModelFacts, Ram
from edgekit.toolchains import Firmware

REPORT = "report.json"
_AGAIN = "build again with `edgekit build`"


@dataclass(frozen=True, slots=True)
class Built:
    """A build folder, read and checked.

    Attributes:
        folder: where it lies.
        stem: name of the emitted files, without their endings.
        firmware: with paths in the folder.
        model, ram, flash, flash_bytes_read: as the build reported them.
        inputs, outputs: golden bytes, one entry an inference.
        judge: who gave the outputs.
        origin: where the inputs came from.
        optimize: which plan it was built with; None of engine tflm.
    """

    folder: Path
    stem: str
    firmware: Firmware
    model: ModelFacts
    ram: Ram
    flash: Flash
    flash_bytes_read: int
    inputs: tuple[bytes, ...]
    outputs: tuple[bytes, ...]
    judge: str
    origin: str
    optimize: str | None


def is_build_folder(path: Path) -> bool:
    """Tell a build folder from a model."""
    return (path / REPORT).is_file()


def read(folder: Path, target: str | None = None) -> Built:
    """Read a build folder.

    Args:
        folder: with report.json in it.
        target: what the user expects it to be for; None takes what the report says.

    Raises:
        UsageError: no report, one of another version, or built for another target.
        UntrustworthyError: a file is missing or not the one that was built.
    """
    try:
        report = json.loads((folder / REPORT).read_bytes())
        if target is not None and target != report["target"]:
            targets.load(target)
            raise UsageError(
                f"{folder} was built for {report['target']}, not for {target}",
                hint=f"`edgekit build MODEL --target {target}`, or leave --target out",
            )
        return _built(folder, report)
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise UsageError(
            f"{folder}/report.json cannot be used ({type(error).__name__}: {error}), expected a report of a build",
            hint=_AGAIN,
        ) from error


def _built(folder: Path, report: dict[str, Any]) -> Built:
    artifacts, ram, flash = report["artifacts"], dict(report["ram"]), dict(report["flash"])
    _check(folder, artifacts["sha256"])
    named = {artifacts["elf"], artifacts["emulated_elf"], *(image["path"] for image in artifacts["images"])}
    if not named <= set(artifacts["sha256"]):
        raise ValueError("an artifact has no sha256")
    del ram["total_bytes"], flash["total_bytes"]
    model = ModelFacts(**report["model"])
    inputs, outputs = unpack_golden((folder / "golden.npz").read_bytes())
    images = tuple((image["address"], folder / image["path"]) for image in artifacts["images"])
    firmware = Firmware(
        elf=folder / artifacts["elf"],
        emulated_elf=folder / artifacts["emulated_elf"],
        images=images,
        weights_bytes=flash["weights_bytes"],
        kernels_bytes=flash["kernels_bytes"],
        application_bytes=flash["application_bytes"],
        static_bytes=ram["static_bytes"],
        stack_reserved_bytes=ram["stack_reserved_bytes"],
        arena_bytes=ram["arena_bytes"],
        target=targets.load(report["target"]),
        engine=report["engine"],
        model_sha256=model.sha256,
        compiler=report["tools"]["compiler"],
    )
    judge, origin = report["proof"]["judges"][0], report["proof"]["inputs"]
    read_bytes = report["flash_bytes_read"]
    optimize = report["optimize"]
    facts = (firmware, model, Ram(**ram), Flash(**flash), read_bytes, inputs, outputs, judge, origin, optimize)
    return Built(folder, PurePosixPath(artifacts["c_source"]).stem, *facts)


def _check(folder: Path, sha256: dict[str, str]) -> None:
    for name, expected in sha256.items():
        path = folder / name
        if not path.resolve().is_relative_to(folder.resolve()):
            raise ValueError(f"{name} lies outside of the folder")
        if not path.is_file():
            raise UntrustworthyError(f"{path} is missing, the report beside it names it", hint=_AGAIN)
        if hashlib.sha256(path.read_bytes()).hexdigest() != expected:
            raise UntrustworthyError(f"{path} is not the file that the report beside it describes", hint=_AGAIN)


def write(folder: Path, report: BuildReport, outputs: Mapping[str, bytes]) -> None:
    """Write a build: its outputs, and the report of them."""
    text = json.dumps({"schema_version": 1, **report.to_json()}, indent=2) + "\n"
    write_files(folder, {**outputs, REPORT: text.encode()})


def write_files(folder: Path, outputs: Mapping[str, bytes]) -> None:
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
