"""What a board's serial port and an emulator's pseudo-terminal have in common."""

from __future__ import annotations

import serial

from edgekit.errors import DeviceError

# A frame takes 6 ms; a write that is not through by then meets a device whose flow control holds it for good.
WRITE_LIMIT_S = 10.0


def write(line: serial.Serial, data: bytes, description: str) -> None:
    """Send all bytes.

    Raises:
        DeviceError: the device went away, or takes nothing.
    """
    try:
        line.write(data)
    except serial.SerialTimeoutException as error:
        raise DeviceError(
            f"{description} took no byte for {WRITE_LIMIT_S:g} s", hint="reset the board and try again"
        ) from error
    except (OSError, ValueError) as error:
        raise _gone(description) from error


def read(line: serial.Serial, timeout_s: float, description: str) -> bytes:
    """Return the bytes that are there, waiting at most `timeout_s` for the first.

    Raises:
        DeviceError: the device went away.
    """
    try:
        line.timeout = timeout_s
        data: bytes = line.read(1)
        return data + line.read(line.in_waiting) if data else b""
    except (OSError, ValueError, TypeError) as error:
        raise _gone(description) from error


def _gone(description: str) -> DeviceError:
    return DeviceError(
        f"{description} went away in the middle of a run",
        hint="check cable and power, see that no other program reads this port, then run again",
    )
