"""The deploy stage: firmware reaches a board or an emulator, and a byte pipe comes back."""

from __future__ import annotations

from types import TracebackType
from typing import Protocol, Self


class Link(Protocol):
    """A byte pipe to a device: a UART, an emulator's pseudo-terminal, or the fake in memory.

    Attributes:
        clock: what the device's ticks mean (DESIGN section 6), e.g. "instructions, emulated".
        tick_ns: virtual nanoseconds per tick where ticks count instructions; 0 where the device's own
            `tick_hz` turns ticks into time.
        description: one line for error messages, e.g. "/dev/ttyUSB0" or "qemu-system-arm -M mps2-an386".
        emulator: name and version of the emulator; None on hardware.
    """

    clock: str
    tick_ns: int
    description: str
    emulator: str | None

    def write(self, data: bytes) -> None:
        """Send all bytes. Raises DeviceError when the device went away."""
        ...

    def read(self, timeout_s: float) -> bytes:
        """Return the bytes that are there, waiting at most `timeout_s` for the first; b"" on a time-out.

        Raises:
            DeviceError: the device went away (unplugged, emulator ended).
        """
        ...

    def __enter__(self) -> Self: ...

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None: ...
