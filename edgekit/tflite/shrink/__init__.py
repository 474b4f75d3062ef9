"""Make a .tflite smaller without changing a bit of what it computes, and certify that.

Each pass is a file with `apply(model) -> int`; `chain` runs them. Behind the passes the engines run the old and the
new file on the same inputs; a pass after which they differ is left out, so a wrong file is never written. This file
holds the types alone: a build whose stages are kept reads a certificate without loading what made it.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

# The pass whose result runs in TFLM alone.
DECODE_PASS = "weights for DECODE"


class Names(StrEnum):
    """Which names of tensors stay."""

    ALL = "all"
    ENDS = "ends"
    NONE = "none"


@dataclass(frozen=True, slots=True)
class ShrinkOptions:
    """What stays in the file for people and phones.

    Attributes:
        names: which tensors' names stay.
        keep_signatures: signatures stay.
        phone: quantization records of biases stay, without which XNNPACK leaves a layer to slower kernels with
            other rounding; LiteRT with XNNPACK judges too.
        decode: weights are put into forms that TFLM's operator DECODE expands, where that makes the file smaller; the
            file then runs in TFLM alone.
    """

    names: Names = Names.ENDS
    keep_signatures: bool = False
    phone: bool = False
    decode: bool = False


@dataclass(frozen=True, slots=True)
class PassResult:
    """What one pass did.

    Attributes:
        name: of the pass.
        changes: how many channels, operators, tensors or names it took away or merged.
        bytes_after: size of the file behind it.
        left_out: why its changes are not in the file; "" where they are.
    """

    name: str
    changes: int
    bytes_after: int
    left_out: str = ""


@dataclass(frozen=True, slots=True)
class Verdict:
    """What one engine says.

    Attributes:
        engine: its name, with the version where it ran.
        equal: it gave the same bytes before and after, on every input; None where it cannot run the model.
        reason: why it did not run; "" where it did.
    """

    engine: str
    equal: bool | None
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Certificate:
    """Bit-equality of a shrunk model with the one that came.

    Attributes:
        sha256_before, sha256_after: of the files.
        bytes_before, bytes_after: sizes of the files.
        macs_before, macs_after: multiply-accumulates of one inference.
        samples: inputs that every engine ran.
        inputs: where they came from, e.g. "200 random inputs, 200 of test data".
        verdicts: one an engine; those that ran found every output byte equal.
        passes: in the order in which they ran.
        tflm_arena_before, tflm_arena_after: arena that TFLM used on this host; None where it did not run.
    """

    sha256_before: str
    sha256_after: str
    bytes_before: int
    bytes_after: int
    macs_before: int
    macs_after: int
    samples: int
    inputs: str
    verdicts: tuple[Verdict, ...]
    passes: tuple[PassResult, ...]
    tflm_arena_before: int | None = None
    tflm_arena_after: int | None = None

    @property
    def saved(self) -> float:
        """Share of the file that went, 0 to 1."""
        return 1 - self.bytes_after / self.bytes_before

    @property
    def notes(self) -> tuple[str, ...]:
        """What the user must know of the file beside its size: with DECODE it runs in TFLM alone, and takes RAM."""
        encoded = next((result for result in self.passes if result.name == DECODE_PASS), None)
        if encoded is None:
            return ()
        if not encoded.changes:
            return (
                "no weights get smaller in a form that DECODE expands: the file has none, and runs wherever it ran",
            )
        arena = ""
        if self.tflm_arena_before is not None and self.tflm_arena_after is not None:
            arena = f"; the arena there grows: {self.tflm_arena_before:,} → {self.tflm_arena_after:,} B on this host"
        tensors = "1 weight tensor" if encoded.changes == 1 else f"{encoded.changes} weight tensors"
        return (f"TensorFlow Lite Micro alone runs the file: its operator DECODE expands {tensors}{arena}",)

    def to_json(self) -> dict[str, Any]:
        """Return the certificate as one JSON object."""
        return dataclasses.asdict(self)

    @classmethod
    def from_json(cls, written: dict[str, Any]) -> Certificate:
        """Return the certificate that `to_json` wrote."""
        return cls(
            **{
                **written,
                "verdicts": tuple(Verdict(**verdict) for verdict in written["verdicts"]),
                "passes": tuple(PassResult(**result) for result in written["passes"]),
            }
        )


@dataclass(frozen=True, slots=True)
class Answer:
    """What an engine returned: for each input the bytes of all outputs, its version, and TFLM's arena."""

    outputs: tuple[bytes, ...]
    version: str
    arena_bytes: int | None = None


@dataclass(frozen=True, slots=True)
class Shrunk:
    """What a shrink made.

    Attributes:
        flatbuffer: the smaller .tflite.
        certificate: that it computes what the old one did.
        tensor_names: of each of its tensors as the old file named it, for messages to people.
    """

    flatbuffer: bytes
    certificate: Certificate
    tensor_names: tuple[str, ...]


# Runs a .tflite on inputs; raises ModelError or ToolchainError where it cannot.
Engine = Callable[[bytes, tuple[bytes, ...]], Answer]
