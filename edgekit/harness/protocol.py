"""Requests to the device and its replies. The C side is firmware/harness/main.c.

A request's payload is kind, sequence number (2 bytes), body; a reply's is kind | 0x80, the same sequence number,
status, body. Numbers stand low byte first.
"""

from __future__ import annotations

import enum
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar, Protocol, Self

from edgekit.errors import UntrustworthyError
from edgekit.harness.frames import REQUEST_PAYLOAD_BYTES

VERSION = 1
# Bytes of tensors in one frame, to the device and from it.
LOAD_BYTES = 48
READ_BYTES = 128
STACK_UNKNOWN = 0xFFFF_FFFF
MODEL_DAMAGED = 0x100
_HEADER = struct.Struct("<BH")
_REPLY_HEADER = struct.Struct("<BHB")
_REPLY = 0x80


class Kind(enum.IntEnum):
    """What a request asks for."""

    HELLO = 1
    LOAD_INPUT = 2
    INFER = 3
    READ_OUTPUT = 4
    STATUS = 5


class Status(enum.IntEnum):
    """How the device answered."""

    OK = 0
    UNKNOWN_REQUEST = 1
    OUT_OF_RANGE = 2
    INPUT_DIFFERS = 3


class Canary(enum.IntFlag):
    """Guards that the device found overwritten."""

    ARENA_LOW = 1
    ARENA_HIGH = 2
    STACK = 4


class Request(Protocol):
    """A request: its kind, and the bytes behind the header."""

    kind: ClassVar[Kind]

    def body(self) -> bytes:
        """Return the bytes behind the header."""
        ...


@dataclass(frozen=True, slots=True)
class HelloRequest:
    """Who are you?"""

    kind: ClassVar[Kind] = Kind.HELLO

    def body(self) -> bytes:
        return b""


@dataclass(frozen=True, slots=True)
class LoadInput:
    """Put data at an offset of the inputs, laid end to end."""

    kind: ClassVar[Kind] = Kind.LOAD_INPUT
    offset: int
    data: bytes

    def body(self) -> bytes:
        return struct.pack("<I", self.offset) + self.data


@dataclass(frozen=True, slots=True)
class Infer:
    """Run one inference on the input with this CRC-32, and only on that."""

    kind: ClassVar[Kind] = Kind.INFER
    input_crc: int

    def body(self) -> bytes:
        return struct.pack("<I", self.input_crc)


@dataclass(frozen=True, slots=True)
class ReadOutput:
    """Send bytes of the outputs, laid end to end."""

    kind: ClassVar[Kind] = Kind.READ_OUTPUT
    offset: int
    length: int

    def body(self) -> bytes:
        return struct.pack("<IB", self.offset, self.length)


@dataclass(frozen=True, slots=True)
class StatusRequest:
    """How are stack and canaries?"""

    kind: ClassVar[Kind] = Kind.STATUS

    def body(self) -> bytes:
        return b""


@dataclass(frozen=True, slots=True)
class Reply:
    """A reply before its body is read; `kind` is the request's."""

    kind: int
    sequence: int
    status: int
    body: bytes

    @classmethod
    def from_payload(cls, payload: bytes) -> Self | None:
        """Read a frame's payload; None when it is no reply."""
        if len(payload) < _REPLY_HEADER.size or not payload[0] & _REPLY:
            return None
        kind, sequence, status = _REPLY_HEADER.unpack_from(payload)
        return cls(kind & ~_REPLY, sequence, status, payload[_REPLY_HEADER.size :])

    def to_payload(self) -> bytes:
        """Return the frame's payload."""
        return _REPLY_HEADER.pack(self.kind | _REPLY, self.sequence, self.status) + self.body


@dataclass(frozen=True, slots=True)
class Hello:
    """What the device says of itself.

    Attributes:
        emulated: it runs on an emulated core.
        self_test: 0, or the number of the check that the core failed.
        init_code: 0, MODEL_DAMAGED, or what the model's initialization returned.
        tick_hz: ticks of its timer per second.
        arena_bytes, engine_bytes, input_bytes, output_bytes: of its model.
        runs: inferences since it started.
        model_sha256: identity of the flatbuffer inside, 64 hexadecimal digits.
        engine: "aot" or "tflm".
    """

    emulated: bool
    self_test: int
    init_code: int
    tick_hz: int
    arena_bytes: int
    engine_bytes: int
    input_bytes: int
    output_bytes: int
    runs: int
    model_sha256: str
    engine: str

    _FORMAT: ClassVar[struct.Struct] = struct.Struct("<BB8I64s")

    @classmethod
    def from_body(cls, body: bytes) -> Self:
        """Read a reply's body; raises UntrustworthyError when it is not of this protocol's version."""
        if not body or body[0] != VERSION or len(body) < cls._FORMAT.size:
            version = body[0] if body else "none"
            raise UntrustworthyError(
                f"the device speaks version {version} of the harness protocol, expected {VERSION}",
                hint="flash a firmware that this version of EdgeKit built: `edgekit flash`",
            )
        values = cls._FORMAT.unpack_from(body)
        return cls(
            emulated=bool(values[1]),
            self_test=values[2],
            init_code=values[3],
            tick_hz=values[4],
            arena_bytes=values[5],
            engine_bytes=values[6],
            input_bytes=values[7],
            output_bytes=values[8],
            runs=values[9],
            model_sha256=values[10].decode("ascii", "backslashreplace"),
            engine=body[cls._FORMAT.size :].decode("ascii", "backslashreplace"),
        )

    def to_body(self) -> bytes:
        """Return the reply's body."""
        numbers = (self.self_test, self.init_code, self.tick_hz, self.arena_bytes, self.engine_bytes)
        tensors = (self.input_bytes, self.output_bytes, self.runs)
        packed = self._FORMAT.pack(VERSION, self.emulated, *numbers, *tensors, self.model_sha256.encode("ascii"))
        return packed + self.engine.encode("ascii")


@dataclass(frozen=True, slots=True)
class Inference:
    """One inference, as the device reports it.

    Attributes:
        ticks: of the device's timer, around the model alone.
        output_crc: CRC-32 of all outputs.
        invoke_code: 0, or what the engine returned.
        broken: bits of `Canary`, of this or an earlier inference.
        runs: inferences since the device started, this one included.
    """

    ticks: int
    output_crc: int
    invoke_code: int
    broken: int
    runs: int

    _FORMAT: ClassVar[struct.Struct] = struct.Struct("<Q4I")

    @classmethod
    def from_body(cls, body: bytes) -> Self:
        """Read the body of a reply to Infer, as the host does."""
        return cls(*_unpack(cls._FORMAT, body, "inference"))

    def to_body(self) -> bytes:
        """Return the body as the device writes it."""
        return self._FORMAT.pack(self.ticks, self.output_crc, self.invoke_code, self.broken, self.runs)


@dataclass(frozen=True, slots=True)
class DeviceStatus:
    """Stack and canaries, as the device reports them; `stack_peak_bytes` is None where it cannot tell."""

    stack_peak_bytes: int | None
    broken: int
    runs: int

    _FORMAT: ClassVar[struct.Struct] = struct.Struct("<3I")

    @classmethod
    def from_body(cls, body: bytes) -> Self:
        """Read the body of a reply to StatusRequest, as the host does."""
        peak, broken, runs = _unpack(cls._FORMAT, body, "status")
        return cls(None if peak == STACK_UNKNOWN else peak, broken, runs)

    def to_body(self) -> bytes:
        """Return the body as the device writes it."""
        peak = STACK_UNKNOWN if self.stack_peak_bytes is None else self.stack_peak_bytes
        return self._FORMAT.pack(peak, self.broken, self.runs)


def request_payload(request: Request, sequence: int) -> bytes:
    """Return the payload of a request; it fits a frame that a chip's receive FIFO holds."""
    payload = _HEADER.pack(request.kind, sequence) + request.body()
    assert len(payload) <= REQUEST_PAYLOAD_BYTES, "a request fits one frame"
    return payload


def request_parts(payload: bytes) -> tuple[int, int, bytes]:
    """Return (kind, sequence, body) of a request's payload, as the device reads it."""
    kind, sequence = _HEADER.unpack_from(payload)
    return kind, sequence, payload[_HEADER.size :]


def loads(data: bytes) -> Iterator[LoadInput]:
    """Cut an input into requests that fit a frame each.

    Example:
        >>> [(load.offset, len(load.data)) for load in loads(bytes(100))]
        [(0, 48), (48, 48), (96, 4)]
    """
    return (LoadInput(offset, data[offset : offset + LOAD_BYTES]) for offset in range(0, len(data), LOAD_BYTES))


def reads(total_bytes: int) -> Iterator[ReadOutput]:
    """Cut the reading of an output into requests.

    Example:
        >>> list(reads(130))
        [ReadOutput(offset=0, length=128), ReadOutput(offset=128, length=2)]
    """
    return (ReadOutput(offset, min(READ_BYTES, total_bytes - offset)) for offset in range(0, total_bytes, READ_BYTES))


def _unpack(form: struct.Struct, body: bytes, what: str) -> tuple[int, ...]:
    if len(body) != form.size:
        raise UntrustworthyError(
            f"the device's {what} reply has {len(body)} bytes, expected {form.size}",
            hint="flash a firmware that this version of EdgeKit built: `edgekit flash`",
        )
    return form.unpack(body)
