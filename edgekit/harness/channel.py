"""Ask the device until it answers: sequence numbers, repetition, and an end to patience."""

from __future__ import annotations

import itertools
import secrets
import time
from collections.abc import Iterable

from edgekit.deploy import Link
from edgekit.errors import DeviceError, UntrustworthyError
from edgekit.harness import frames
from edgekit.harness.protocol import Reply, Request, Status, request_payload

# How long a request may stay unanswered before it is repeated: first, and at most.
_FIRST_PATIENCE_S = 0.4
_LAST_PATIENCE_S = 3.0
_SHOWN_BYTES = 80
# Requests under way at once. A chip drops what its receive FIFO cannot hold; an emulator takes what it can and lets
# the rest wait, and on a busy computer every turn of asking and answering costs it milliseconds.
_CHIP_WINDOW, _EMULATOR_WINDOW = 1, 8


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
        self._window = _CHIP_WINDOW if link.emulator is None else _EMULATOR_WINDOW

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
        return self._ask_together((request,), limit_s)[0]

    def ask_all(self, requests: Iterable[Request], limit_s: float) -> list[bytes]:
        """Ask requests that do not depend on one another, some at once where the link allows it.

        Args:
            requests: each may be repeated and overtake others.
            limit_s: when to give up on one of them, in seconds.

        Returns:
            The bodies of the replies, in the order of the requests; raises as `ask` does.
        """
        left = iter(requests)
        bodies: list[bytes] = []
        while together := tuple(itertools.islice(left, self._window)):
            bodies += self._ask_together(together, limit_s)
        return bodies

    def _ask_together(self, requests: tuple[Request, ...], limit_s: float) -> list[bytes]:
        waiting: dict[int, Request] = {}
        for request in requests:
            self._sequence = (self._sequence + 1) & 0xFFFF
            waiting[self._sequence] = request
        order = tuple(waiting)
        replies: dict[int, bytes] = {}
        waited_s, patience_s = 0.0, _FIRST_PATIENCE_S
        while waited_s < limit_s:
            self._link.write(b"".join(frames.encode(request_payload(waiting[number], number)) for number in waiting))
            waited_s += self._listen(waiting, replies, min(patience_s, limit_s - waited_s))
            if not waiting:
                return [replies[number] for number in order]
            patience_s = min(2 * patience_s, _LAST_PATIENCE_S)
        raise DeviceError(
            f"{self._link.description} gave no answer to {requests[0].kind.name.lower()} within {limit_s:g} s; "
            f"{self._last_words()}",
            hint="check cable, power, and that this firmware is flashed (`edgekit flash`); press reset and try again",
        )

    def _listen(self, waiting: dict[int, Request], replies: dict[int, bytes], patience_s: float) -> float:
        """Move what is answered from `waiting` to `replies`; returns the seconds that went by."""
        spent_s = 0.0
        while waiting and spent_s < patience_s:
            begin = time.monotonic()
            data = self._link.read(patience_s - spent_s)
            # An empty read is a time-out by contract: counting it as one lets a link in memory pass time at once.
            spent_s += time.monotonic() - begin if data else patience_s - spent_s
            self._heard = (self._heard + data)[-_SHOWN_BYTES:]
            for payload in self._reader.feed(data):
                reply = Reply.from_payload(payload)
                if reply is None or reply.sequence not in waiting or reply.kind != waiting[reply.sequence].kind:
                    continue  # noise, or the reply to a repetition
                replies[reply.sequence] = _checked(waiting.pop(reply.sequence), reply)
        return spent_s

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
