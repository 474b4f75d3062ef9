"""Draws the progress of a stage on a terminal: only on stderr, only when it lasts, with the time left."""

from __future__ import annotations

import sys
import threading
from types import TracebackType
from typing import TYPE_CHECKING, Self

if TYPE_CHECKING:
    from rich.progress import Progress as RichProgress

_QUIET_SECONDS = 1.0


class DrawnProgress:
    """A `Progress` that draws one bar after a second, and nothing at all when stderr is no terminal.

    Example:
        >>> with DrawnProgress() as progress:
        ...     progress("convert", 1, 4)
    """

    def __init__(self) -> None:
        self._state: tuple[str, int, int | None] = ("", 0, None)
        self._lock = threading.Lock()
        self._bar: RichProgress | None = None
        self._timer = threading.Timer(_QUIET_SECONDS, self._start)
        self._timer.daemon = True

    def __enter__(self) -> Self:
        if sys.stderr.isatty():
            self._timer.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._timer.cancel()
        with self._lock:
            if self._bar is not None:
                self._bar.stop()

    def __call__(self, what: str, done: int = 0, total: int | None = None) -> None:
        """Take the state of a stage; see `edgekit.progress.Progress`."""
        with self._lock:
            renamed = what != self._state[0]
            self._state = (what, done, total)
            if self._bar is None:
                return
            if renamed:
                # The time left belongs to one step: a new step starts its clock anew.
                self._bar.reset(self._bar.task_ids[0], description=what, completed=done, total=total)
            else:
                self._bar.update(self._bar.task_ids[0], completed=done, total=total)

    def _start(self) -> None:
        from rich.console import Console
        from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

        columns = (
            TextColumn("{task.description}"),
            BarColumn(),
            TimeElapsedColumn(),
            TextColumn("left"),
            TimeRemainingColumn(),
        )
        with self._lock:
            self._bar = Progress(*columns, console=Console(file=sys.stderr), transient=True)
            what, done, total = self._state
            self._bar.add_task(what, completed=done, total=total)
            self._bar.start()
