"""What `edgekit verify` found."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import Any

from edgekit.tflite.fidelity import POOR_SQNR_DB, Divergence, LayerFidelity

# Which runtime a stage speaks for.
MICROCONTROLLERS = "microcontrollers"
PHONES = "phones"


@dataclass(frozen=True, slots=True)
class Stage:
    """One stage that the inputs went through.

    Attributes:
        name: of the stage, with versions.
        counts_for: "microcontrollers", "phones", or "".
        compared_with: the stage before it that it was held against; "" for the first.
        equal: equal on every byte; None where bytes cannot be equal (float against int8) or nothing ran.
        largest_step: largest difference of the outputs, in steps of the quantized value; None as for `equal`.
        sqnr_db: of its first output against the float model; None without one.
        divergence: the first tensor that differs; None where all are equal or none could be looked at.
        skipped: why the stage did not run; "" where it did.
    """

    name: str
    counts_for: str = ""
    compared_with: str = ""
    equal: bool | None = None
    largest_step: int | None = None
    sqnr_db: float | None = None
    divergence: Divergence | None = None
    skipped: str = ""


@dataclass(frozen=True, slots=True)
class Verification:
    """One set of inputs through every stage.

    Attributes:
        model: its name.
        sha256: of the flatbuffer.
        samples: number of inputs.
        samples_from: "test data", "training data" or "random inputs".
        simulated: they are simulated data.
        stages: in order.
        layers: int8 tensors beside their float twins; empty for a .tflite, which has none.
        compared_layers: (with a twin, activations in all).
        trusted: EdgeKit's engine gave the judge's bytes wherever it ran.
    """

    model: str
    sha256: str
    samples: int
    samples_from: str
    simulated: bool
    stages: tuple[Stage, ...]
    layers: tuple[LayerFidelity, ...]
    compared_layers: tuple[int, int]
    trusted: bool

    @property
    def suspects(self) -> tuple[LayerFidelity, ...]:
        """Tensors that lose more than rounding explains, in execution order: look at the first."""
        return tuple(layer for layer in self.layers if layer.cause)

    def to_json(self) -> dict[str, Any]:
        """Return the object that `verify --json` prints."""
        return {
            "model": {"name": self.model, "sha256": self.sha256},
            "samples": self.samples,
            "samples_from": self.samples_from,
            "simulated_data": self.simulated,
            "stages": [dataclasses.asdict(stage) for stage in self.stages],
            "layers": [dataclasses.asdict(layer) for layer in self.layers],
            "compared_layers": {"with_float_twin": self.compared_layers[0], "all": self.compared_layers[1]},
            "poor_below_db": POOR_SQNR_DB,
            "trusted": self.trusted,
        }
