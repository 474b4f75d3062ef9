"""Frames on the serial line: a zero, COBS of payload and CRC-32, a zero. The C side is firmware/harness/frame.c.

COBS leaves no zero inside a frame, so a reader that lost its place finds it again at the next zero; the CRC refuses
whatever the line damaged. Boot banners and noise between frames are neither, and are dropped.
"""

from __future__ import annotations

import binascii

from cobs import cobs

# Wire bytes of a frame to the device, zeros included: a chip's receive FIFO holds 128, so that two fit.
REQUEST_FRAME_BYTES = 64
REQUEST_PAYLOAD_BYTES = 57
_CRC_BYTES = 4
# Nothing sent either way is longer; more without a zero is noise.
_PENDING_BYTES = 512


def encode(payload: bytes) -> bytes:
    r"""Return the frame of a payload.

    Args:
        payload: at least one byte.

    Returns:
        What goes over the wire.

    Example:
        >>> encode(b"\x01\x00").hex()
        '00020105be23c25800'
    """
    crc = binascii.crc32(payload).to_bytes(_CRC_BYTES, "little")
    framed: bytes = cobs.encode(payload + crc)
    return b"\0" + framed + b"\0"


class FrameReader:
    r"""Finds the sound frames in a stream of bytes that arrives in any portions.

    Example:
        >>> reader = FrameReader()
        >>> frame = encode(b"hello")
        >>> reader.feed(b"rst:0x1\r\n" + frame[:4]), reader.feed(frame[4:])
        ([], [b'hello'])
    """

    def __init__(self) -> None:
        self._pending = bytearray()

    def feed(self, data: bytes) -> list[bytes]:
        """Take the next bytes of the stream.

        Args:
            data: what came.

        Returns:
            The payloads of the frames that these bytes completed, in order; damaged ones are left out.
        """
        *ended, rest = (bytes(self._pending) + data).split(b"\0")
        self._pending = bytearray(rest[-_PENDING_BYTES:])
        payloads = (_payload(piece) for piece in ended if piece)
        return [payload for payload in payloads if payload is not None]


def _payload(piece: bytes) -> bytes | None:
    """Return the payload between two zeros; None when it is noise."""
    try:
        decoded: bytes = cobs.decode(piece)
    except cobs.DecodeError:
        return None
    payload, crc = decoded[:-_CRC_BYTES], decoded[-_CRC_BYTES:]
    if not payload or binascii.crc32(payload) != int.from_bytes(crc, "little"):
        return None
    return payload
