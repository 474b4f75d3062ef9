"""Ask the device until it answers: sequence numbers, repetition, and an end to patience."""

from __future__ import annotations

import secrets
import time

from edgekit.deploy import Link
from edgekit.errors import DeviceError, UntrustworthyError
from edgekit.harness import frames
from edgekit.harness.protocol import Reply, Request, Status, request_payload

# How long a request may stay unanswered before it is repeated: first, and at most.
_FIRST_PATIENCE_S = 0.4
_LAST_PATIENCE_S = 3.0
_SHOWN_BYTES = 80


class Channel:
    """Requests and replies over a link that may lose, damage or repeat bytes.

    Args:
        link: an open byte pipe.
        first_sequence: number of the first request; None draws one, so that replies to an earlier, broken-off
            session are not taken for replies to this one.
    """

    def __init__(self, link: Link, *, first_sequence: int | None = None) -> None:
        self._link = link
        self._reader = frames.FrameReader()
        self._sequence = secrets.randbelow(1 << 16) if first_sequence is None else first_sequence
        self._heard = b""

    def ask(self, request: Request, limit_s: float) -> bytes:
        """Send a request, again and again, until its reply comes.

        Args:
            request: what to ask.
            limit_s: when to give up, in seconds.

        Returns:
            The body of the reply.

        Raises:
            DeviceError: no reply came in time, the device refused, or it went away.
            UntrustworthyError: the input in the device is not what was sent.
        """
        self._sequence = (self._sequence + 1) & 0xFFFF
        frame = frames.encode(request_payload(request, self._sequence))
        waited_s, patience_s = 0.0, _FIRST_PATIENCE_S
        while waited_s < limit_s:
            self._link.write(frame)
            reply, spent_s = self._listen(request, min(patience_s, limit_s - waited_s))
            if reply is not None:
                return _checked(request, reply)
            waited_s += spent_s
            patience_s = min(2 * patience_s, _LAST_PATIENCE_S)
        raise DeviceError(
            f"{self._link.description} gave no answer to {request.kind.name.lower()} within {limit_s:g} s; "
            f"{self._last_words()}",
            hint="check cable, power, and that this firmware is flashed (`edgekit flash`); press reset and try again",
        )

    def _listen(self, request: Request, patience_s: float) -> tuple[Reply | None, float]:
        """Wait for the reply; returns it, or None, and the seconds that went by."""
        spent_s = 0.0
        while spent_s < patience_s:
            begin = time.monotonic()
            data = self._link.read(patience_s - spent_s)
            # An empty read is a time-out by contract: counting it as one lets a link in memory pass time at once.
            spent_s += time.monotonic() - begin if data else patience_s - spent_s
            self._heard = (self._heard + data)[-_SHOWN_BYTES:]
            for payload in self._reader.feed(data):
                reply = Reply.from_payload(payload)
                if reply is not None and (reply.kind, reply.sequence) == (request.kind, self._sequence):
                    return reply, spent_s
        return None, spent_s

    def _last_words(self) -> str:
        if not self._heard:
            return "nothing at all was received"
        return f"the last bytes received were {self._heard!r}"


def _checked(request: Request, reply: Reply) -> bytes:
    if reply.status == Status.OK:
        return reply.body
    if reply.status == Status.INPUT_DIFFERS:
        raise UntrustworthyError(
            "the input in the device is not the one that was sent: it was reset or its memory was overwritten",
            hint="check the board's power supply, then run again",
        )
    raise DeviceError(
        f"the device refused {request.kind.name.lower()} (status {reply.status}), expected its consent",
        hint="flash a firmware that this version of EdgeKit built: `edgekit flash`",
    )
