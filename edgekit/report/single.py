"""What the stages report that users call alone."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from edgekit.report.types import ProofFacts

if TYPE_CHECKING:
    from edgekit.conversion import Conversion
    from edgekit.tflite.shrink import Certificate


@dataclass(frozen=True, slots=True)
class ConvertReport:
    """A converted model.

    Attributes:
        path: the .tflite that was written.
        name: of the model.
        conversion: what the converter made and measured.
        sha256: of the flatbuffer.
        proof: how it was proved.
        simulated: metric data are simulated.
        notes: sentences that the user should read.
    """

    path: Path
    name: str
    conversion: Conversion
    sha256: str
    proof: ProofFacts
    simulated: bool
    notes: tuple[str, ...]

    def to_json(self) -> dict[str, Any]:
        """Return the object that `convert --json` prints."""
        metric = self.conversion.metric
        return {
            "model": {"name": self.name, "sha256": self.sha256, "bytes": len(self.conversion.flatbuffer)},
            "metrics": dataclasses.asdict(metric) if metric is not None else None,
            "simulated_data": self.simulated,
            "compression": [dataclasses.asdict(step) for step in self.conversion.compression],
            "proof": dataclasses.asdict(self.proof),
            "artifacts": {"tflite": str(self.path)},
            "notes": list(self.notes),
        }


@dataclass(frozen=True, slots=True)
class CompressReport:
    """A compressed Keras model at `path`; `conversion` holds what each step did, and the int8 model's metric."""

    path: Path
    name: str
    conversion: Conversion
    simulated: bool

    def to_json(self) -> dict[str, Any]:
        """Return the object that `compress --json` prints."""
        metric = self.conversion.metric
        return {
            "model": {"name": self.name},
            "metrics": dataclasses.asdict(metric) if metric is not None else None,
            "simulated_data": self.simulated,
            "compression": [dataclasses.asdict(step) for step in self.conversion.compression],
            "artifacts": {"keras": str(self.path)},
        }


@dataclass(frozen=True, slots=True)
class ShrinkReport:
    """A losslessly shrunk .tflite at `path`, with its certificate."""

    path: Path
    name: str
    certificate: Certificate
    notes: tuple[str, ...]

    def to_json(self) -> dict[str, Any]:
        """Return the object that `shrink --json` prints."""
        certificate = self.certificate
        return {
            "model": {"name": self.name, "sha256": certificate.sha256_after, "macs": certificate.macs_after},
            "certificate": certificate.to_json(),
            "artifacts": {"tflite": str(self.path)},
            "notes": list(self.notes),
        }


@dataclass(frozen=True, slots=True)
class EmitReport:
    """Emitted C: `files` in `folder`; arena, weights and plan of the engine that was asked for."""

    folder: Path
    files: tuple[str, ...]
    name: str
    sha256: str
    macs: int
    engine: str
    arena_bytes: int
    weights_bytes: int
    optimize: str | None = None

    def to_json(self) -> dict[str, Any]:
        """Return the object that `emit --json` prints."""
        return {
            "engine": self.engine,
            "optimize": self.optimize,
            "model": {"name": self.name, "sha256": self.sha256, "macs": self.macs},
            "arena_bytes": self.arena_bytes,
            "weights_bytes": self.weights_bytes,
            "folder": str(self.folder),
            "files": list(self.files),
        }
