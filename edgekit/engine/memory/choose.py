"""From what matters most to a schedule and its plan.

Speed: layer by layer. RAM: rows stream, with the blocks that need the smallest arena. A bound on the arena: layer by
layer if that fits, else rows stream in blocks as large as the bound allows.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

from edgekit.engine.lowered import Lowered
from edgekit.engine.memory import blocks, directions, order, streaming
from edgekit.engine.memory.access import Access, access
from edgekit.engine.memory.streaming import Demands
from edgekit.engine.memory.trial import Court, Trial
from edgekit.engine.options import EngineOptions, Optimize
from edgekit.engine.plan import ARENA_ALIGNMENT, finished
from edgekit.engine.types import STREAMED, MemoryPlan, Schedule
from edgekit.errors import ArenaBoundError
from edgekit.tflite.graph import Graph

# For each search, about microseconds: see Court.
_BUDGET = 1_000_000
# Of a streamed input's readers where the rest runs layer by layer: they read their constants so much less often.
_ROWS_A_READER = 4
# For the placement that is kept.
_TRIES = 400


def choose(graph: Graph, lowered: Sequence[Lowered], options: EngineOptions) -> tuple[Schedule, MemoryPlan]:
    """Return the schedule that the options ask for, and where it keeps what.

    Raises:
        ArenaBoundError: no schedule that was found fits the bound on the arena.
    """
    touched = access(graph, lowered)
    limit = options.max_ram_bytes
    if options.optimize is not Optimize.RAM and not options.stream_input:
        court = Court(touched, _BUDGET)
        trial = _layer_by_layer(court)
        if limit is None or court.place(trial, tries=_TRIES, good_enough=_rounded(limit)).bytes <= _rounded(limit):
            return _plan(graph, lowered, touched, court, trial)
    return _streamed(graph, lowered, touched, options)


def _layer_by_layer(court: Court) -> Trial:
    """In the order with the lowest peak, if that pays, and in the directions that suit it."""
    own = tuple(court.access.work)
    other = order.best_order(court.access, streaming.demands(court.access))
    trial = directions.best(court, own)
    if other != own:
        court.budget = _BUDGET
        again = directions.best(court, other)
        trial = min(trial, again, key=lambda one: court.place(one).bytes)
    return trial


def _streamed(
    graph: Graph, lowered: Sequence[Lowered], touched: Access, options: EngineOptions
) -> tuple[Schedule, MemoryPlan]:
    court, limit = Court(touched, _BUDGET), options.max_ram_bytes
    asked = streaming.demands(touched, stream_input=options.stream_input)
    if options.optimize is not Optimize.RAM and limit is None:
        return _plan(graph, lowered, touched, court, _behind_the_input(court, asked))
    form, trial = blocks.smallest(court, asked)
    arena = court.place(trial, tries=_TRIES, good_enough=_rounded(limit or 0)).bytes
    if limit is not None and arena > _rounded(limit):
        raise ArenaBoundError(-(-arena // ARENA_ALIGNMENT) * ARENA_ALIGNMENT, limit)
    # What costs no RAM comes first: more RAM never makes a plan slower.
    for allowed in (arena, _rounded(limit or 0)):
        if allowed >= arena:
            court.budget = _BUDGET
            form, trial = blocks.largest(court, asked, form, allowed, trial)
    return _plan(graph, lowered, touched, court, trial)


def _behind_the_input(court: Court, asked: Demands) -> Trial:
    """The input row by row, its readers by a few rows, everything behind layer by layer."""
    readers = tuple(court.access.readers[court.access.inputs[0]])
    by_rows = {layer: _ROWS_A_READER for layer in readers if court.access.work[layer].by_rows} | {STREAMED: 1}
    first = streaming.streamed(dataclasses.replace(asked, sinks=(*readers, STREAMED)), by_rows)
    done = {step.layer for step in first}
    return directions.best(court, [layer for layer in court.access.work if layer not in done], first)


def _rounded(limit: int) -> int:
    """What of a bound is left when the arena is a multiple of its alignment."""
    return limit // ARENA_ALIGNMENT * ARENA_ALIGNMENT


def _plan(
    graph: Graph, lowered: Sequence[Lowered], touched: Access, court: Court, trial: Trial
) -> tuple[Schedule, MemoryPlan]:
    rings = {
        tensor: trial.found["tensor", root].slots
        for root, place in touched.places.items()
        for tensor in place.names
        if ("tensor", root) in trial.found and trial.found["tensor", root].slots < place.units
    }
    schedule = Schedule(trial.steps, rings)
    placed = court.place(trial, tries=_TRIES)
    return schedule, finished(graph, lowered, touched, schedule, trial.found, placed)
