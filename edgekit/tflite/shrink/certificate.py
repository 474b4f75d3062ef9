"""What a shrink says of itself: what each pass did, and which engines found the result equal, on how many inputs."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import Any


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

    @property
    def saved(self) -> float:
        """Share of the file that went, 0 to 1."""
        return 1 - self.bytes_after / self.bytes_before

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
