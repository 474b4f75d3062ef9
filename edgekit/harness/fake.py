"""A device in memory, and a line that damages what passes: the harness is tested against both.

Everything random comes from one seed, so that a failure can be repeated.
"""

from __future__ import annotations

import dataclasses
import random
from binascii import crc32
from collections.abc import Callable
from dataclasses import dataclass
from types import TracebackType
from typing import Self

from edgekit.deploy import Link
from edgekit.errors import DeviceError
from edgekit.harness import frames
from edgekit.harness.protocol import (
    DeviceStatus,
    Hello,
    Inference,
    Kind,
    Reply,
    Status,
    request_parts,
)

BANNER = b"ets Jul 29 2019 12:21:46\r\n\r\nrst:0x1 (POWERON_RESET),boot:0x13 (SPI_FAST_FLASH_BOOT)\r\n"


@dataclass(frozen=True, slots=True)
class Faults:
    """What goes wrong in the device itself. Numbers count requests that reached it, from 1; 0 is never.

    Attributes:
        silent_after: it answers nothing behind this request.
        reset_after: it restarts behind this request: banner, memory and counters lost.
        unplug_after: it is gone behind this request.
        wrong_output: the last output byte of every inference is off by one.
        output_changes: an output byte changes between the inference and its reading.
        invoke_code: what the engine returns.
        broken: canaries found overwritten after an inference.
        ticks: the timer's difference around every inference; None gives `1000 + runs`.
    """

    silent_after: int = 0
    reset_after: int = 0
    unplug_after: int = 0
    wrong_output: bool = False
    output_changes: bool = False
    invoke_code: int = 0
    broken: int = 0
    ticks: int | None = None


class FakeDevice:
    """A device in memory that speaks the harness protocol; a `Link`.

    Args:
        model: gives the outputs' bytes for the inputs' bytes.
        hello: what it says of itself.
        faults: what goes wrong.
        stack_peak_bytes: what its status reports.
        tick_ns, emulator: as in `Link`.
    """

    def __init__(
        self,
        model: Callable[[bytes], bytes],
        hello: Hello,
        *,
        faults: Faults | None = None,
        stack_peak_bytes: int | None = 512,
        tick_ns: int = 0,
        emulator: str | None = None,
    ) -> None:
        self.clock = "instructions, emulated" if tick_ns else "hardware timer"
        self.tick_ns = tick_ns
        self.description = "fake device"
        self.emulator = emulator
        self._model, self._hello, self._stack_peak_bytes = model, hello, stack_peak_bytes
        self._faults = faults or Faults()
        self._requests = 0
        self._to_host = bytearray(BANNER)
        self._start()

    def _start(self) -> None:
        self._reader = frames.FrameReader()
        self._input = bytearray(self._hello.input_bytes)
        self._output = bytearray(self._hello.output_bytes)
        self._last: tuple[int, Inference] | None = None
        self._runs = 0

    def write(self, data: bytes) -> None:
        if self._is_past(self._faults.unplug_after):
            raise DeviceError("the fake device went away", hint="plug it in again")
        for payload in self._reader.feed(data):
            self._requests += 1
            reply = self._answer(*request_parts(payload))
            if not self._is_past(self._faults.silent_after):
                self._to_host += frames.encode(reply.to_payload())
            if self._requests == self._faults.reset_after:
                self._to_host += BANNER
                self._start()
                break

    def read(self, timeout_s: float) -> bytes:  # noqa: ARG002 - time passes at once
        """Return what was sent; b"" at once when there is nothing, as if `timeout_s` had gone by."""
        if self._is_past(self._faults.unplug_after):
            raise DeviceError("the fake device went away", hint="plug it in again")
        data, self._to_host = bytes(self._to_host), bytearray()
        return data

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        pass

    def _is_past(self, request: int) -> bool:
        return 0 < request < self._requests

    def _answer(self, kind: int, sequence: int, body: bytes) -> Reply:
        status, answer = Status.OK, b""
        match kind:
            case Kind.HELLO:
                self._last = None
                answer = dataclasses.replace(self._hello, runs=self._runs).to_body()
            case Kind.LOAD_INPUT:
                offset = int.from_bytes(body[:4], "little")
                self._input[offset : offset + len(body) - 4] = body[4:]
            case Kind.INFER:
                status, answer = self._infer(sequence, int.from_bytes(body, "little"))
            case Kind.READ_OUTPUT:
                offset = int.from_bytes(body[:4], "little")
                answer = bytes(self._output[offset : offset + body[4]])
            case Kind.STATUS:
                answer = DeviceStatus(self._stack_peak_bytes, self._faults.broken, self._runs).to_body()
            case _:
                status = Status.UNKNOWN_REQUEST
        return Reply(kind, sequence, status, answer)

    def _infer(self, sequence: int, input_crc: int) -> tuple[Status, bytes]:
        """Run once; a repeated sequence number gets the earlier answer."""
        if self._last is not None and self._last[0] == sequence:
            return Status.OK, self._last[1].to_body()
        if crc32(bytes(self._input)) != input_crc:
            return Status.INPUT_DIFFERS, b""
        self._runs += 1
        self._output[:] = self._model(bytes(self._input))
        if self._faults.wrong_output:
            self._output[-1] ^= 1
        # Like a real model, whose input shares the arena with what comes later.
        self._input[:] = b"\xee" * len(self._input)
        ticks = 1000 + self._runs if self._faults.ticks is None else self._faults.ticks
        done = Inference(ticks, crc32(bytes(self._output)), self._faults.invoke_code, self._faults.broken, self._runs)
        if self._faults.output_changes:
            self._output[0] ^= 1
        self._last = sequence, done
        return Status.OK, done.to_body()


@dataclass(frozen=True, slots=True)
class Noise:
    """What a line does to bytes, each a probability per byte, and the seed of it all.

    Attributes:
        seed: of every decision.
        bit_flip: one bit turns.
        drop: the byte is lost.
        duplicate: the byte comes twice.
        burst: the next 16 bytes are random.
        banner: text of a reset stands before the byte.
    """

    seed: int
    bit_flip: float = 0.0
    drop: float = 0.0
    duplicate: float = 0.0
    burst: float = 0.0
    banner: float = 0.0


class NoisyLink:
    """A link whose line damages bytes both ways, and hands them over in portions of any size."""

    def __init__(self, link: Link, noise: Noise) -> None:
        self.clock, self.tick_ns = link.clock, link.tick_ns
        self.description, self.emulator = link.description, link.emulator
        self._link, self._noise = link, noise
        self._random = random.Random(noise.seed)
        self._to_host = b""

    def write(self, data: bytes) -> None:
        self._link.write(self._damaged(data))

    def read(self, timeout_s: float) -> bytes:
        if not self._to_host:
            self._to_host = self._damaged(self._link.read(timeout_s))
        portion = self._random.randint(1, 64)
        data, self._to_host = self._to_host[:portion], self._to_host[portion:]
        return data

    def __enter__(self) -> Self:
        self._link.__enter__()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._link.__exit__(kind, error, trace)

    def _damaged(self, data: bytes) -> bytes:
        noise, chance, out, burst_left = self._noise, self._random.random, bytearray(), 0
        for byte in data:
            if chance() < noise.banner:
                out += BANNER
            if chance() < noise.burst:
                burst_left = 16
            if burst_left:
                burst_left -= 1
                byte = self._random.randrange(256)
            if chance() < noise.bit_flip:
                byte ^= 1 << self._random.randrange(8)
            if chance() < noise.drop:
                continue
            out += bytes([byte]) * (2 if chance() < noise.duplicate else 1)
        return bytes(out)
