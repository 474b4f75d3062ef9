"""How a stage says where it is. Stages never print; the CLI draws what it is told."""

from __future__ import annotations

from typing import Protocol


class Progress(Protocol):
    """Receives the state of a stage.

    Args:
        what: the step in a few words, e.g. ``"prune: epoch 3"``.
        done: units finished so far.
        total: units in all; None when unknown.
    """

    def __call__(self, what: str, done: int = 0, total: int | None = None) -> None: ...


def silent(what: str, done: int = 0, total: int | None = None) -> None:
    """The progress that draws nothing."""
