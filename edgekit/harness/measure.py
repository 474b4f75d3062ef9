"""Run real inputs on a device and report what was measured."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Measurement:
    """What one bench run measured; nothing in it is estimated.

    Attributes:
        target: name of the target.
        engine: "aot" or "tflm".
        model_sha256: identity of the flatbuffer, as the device itself said.
        clock: what `per_run` counts: "hardware timer", "instructions, emulated", "host" (DESIGN section 6).
        per_run: one value per inference, in the order they ran: microseconds where `clock` is a time,
            instructions where it is "instructions, emulated".
        arena_bytes: as the device reports it.
        engine_bytes: bytes that the engine keeps outside the arena; 0 for aot.
        stack_peak_bytes: high-water mark of the painted stack; None where the stack cannot be painted.
        outputs_compared: inferences whose every output byte was compared with the host's.
        outputs_match: all of them were equal.
        link: one line: where it ran.
        emulator: name and version; None on hardware.
    """

    target: str
    engine: str
    model_sha256: str
    clock: str
    per_run: tuple[float, ...]
    arena_bytes: int
    engine_bytes: int
    stack_peak_bytes: int | None
    outputs_compared: int
    outputs_match: bool
    link: str
    emulator: str | None
