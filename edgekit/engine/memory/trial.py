"""Schedules on trial: what each would need, computed once, as cheaply as the question allows."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from edgekit.engine.memory import live_rows, placement
from edgekit.engine.memory.access import Access
from edgekit.engine.memory.live_rows import Buffer, Key
from edgekit.engine.memory.placement import Placement
from edgekit.engine.types import STREAMED, Step

# What a step costs besides the constants that it reads: bytes that take as long to read.
_BYTES_A_STEP = 100


@dataclass(frozen=True, slots=True, eq=False)
class Trial:
    """A schedule and when its rows live.

    Attributes:
        steps: in execution order.
        found: buffers, rings as small as they can be.
        live: bytes that live at once: no placement is smaller.
        flash: constant bytes that its steps read.
    """

    steps: tuple[Step, ...]
    found: Mapping[Key, Buffer]
    live: int
    flash: int

    @property
    def price(self) -> int:
        """What it costs to run: constants read, and steps."""
        return self.flash + _BYTES_A_STEP * len(self.steps)


@dataclass(slots=True, eq=False)
class Court:
    """Tries schedules until its budget is spent; the same model gives the same verdicts.

    Attributes:
        access: what the layers touch.
        budget: what trials and placements may still cost, about a microsecond each.
    """

    access: Access
    budget: int
    placed: dict[tuple[Step, ...], Placement] = field(default_factory=dict)

    @property
    def is_spent(self) -> bool:
        """Whether no more should be tried."""
        return self.budget <= 0

    def hear(self, steps: tuple[Step, ...]) -> Trial:
        """Return what a schedule would need."""
        found = live_rows.buffers(self.access, steps)
        self.budget -= 6 * len(steps) + 40 * len(found)
        flash = sum(self.access.work[step.layer].constant_bytes for step in steps if step.layer != STREAMED)
        return Trial(steps, found, live_rows.live_bytes(found), flash)

    def place(self, trial: Trial, *, tries: int = 20, good_enough: int = 0, like: Placement | None = None) -> Placement:
        """Return where its buffers lie, after so many tries to do better than first fit; see `placement.place`."""
        known = self.placed.get(trial.steps)
        if known is None or tries > 20:
            self.budget -= 8 * len(trial.found) ** 2 + 200
            found = placement.place(trial.found, tries=tries, good_enough=good_enough, like=like or known)
            known = found if known is None or found.bytes < known.bytes else known
            self.placed[trial.steps] = known
        return known
