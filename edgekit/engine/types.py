"""The types between lowering, planning and emitting."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import PurePosixPath

STREAMED = -1
"""The layer of a step that takes rows of the model's input from the application."""


@dataclass(frozen=True, slots=True)
class Step:
    """Compute rows [row_begin, row_end) of the output of one layer, a position in `Program.lowered`.

    A layer with `Lowered.work_rows` counts those. The steps of one layer cover its rows once, in blocks of one size, of
    which the last may be smaller, all ascending or all descending.
    """

    layer: int
    row_begin: int
    row_end: int


@dataclass(frozen=True, slots=True)
class Schedule:
    """Which rows of which operator are computed when.

    Attributes:
        steps: in execution order. Operators that only rename a tensor (RESHAPE) have none.
        ring_rows: tensor index -> rows kept at once; a tensor that is not named keeps all of its rows.
    """

    steps: tuple[Step, ...]
    ring_rows: Mapping[int, int]


@dataclass(frozen=True, slots=True)
class MemoryPlan:
    """Where the arena holds each tensor, and when.

    Attributes:
        arena_bytes: size of the arena, a multiple of 16.
        offsets: tensor index -> byte offset in the arena.
        live: tensor index -> (first step, last step), both inclusive; the inputs are live from step -1,
            the outputs to step len(steps), states always.
        scratch: layer, a position in `Program.lowered` -> (byte offset, bytes) of work memory that only its steps use.
    """

    arena_bytes: int
    offsets: Mapping[int, int]
    live: Mapping[int, tuple[int, int]]
    scratch: Mapping[int, tuple[int, int]]


@dataclass(frozen=True, slots=True)
class Sources:
    """Emitted text, not yet on disk.

    Attributes:
        stem: C identifier that prefixes every public name and names the files, e.g. ``keyword``.
        files: relative path -> text.
        engine: "aot" or "tflm".
        model_sha256: identity of the flatbuffer, 64 hexadecimal digits.
        arena_bytes: what the caller has to pass.
        weights_bytes: all constants of the model as stored.
        flash_bytes_read: weight bytes that one inference reads (from the schedule).
        input_bytes, output_bytes: bytes of all inputs, of all outputs, in graph order.
        optimize: which plan was taken, "speed", "balanced", "ram" or "flash"; None where the engine has no choice.
    """

    stem: str
    files: Mapping[PurePosixPath, str]
    engine: str
    model_sha256: str
    arena_bytes: int
    weights_bytes: int
    flash_bytes_read: int
    input_bytes: int
    output_bytes: int
    optimize: str | None = None
