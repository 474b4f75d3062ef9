"""Where the arena holds each tensor: placed row by row, and checked independently of how."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from edgekit.engine.lowered import Lowered
from edgekit.engine.memory import live_rows, placement
from edgekit.engine.memory.access import Access, access
from edgekit.engine.memory.check import verify
from edgekit.engine.memory.live_rows import Buffer, Key
from edgekit.engine.memory.placement import Placement
from edgekit.engine.types import MemoryPlan, Schedule
from edgekit.tflite.graph import Graph

ARENA_ALIGNMENT = 16
"""What TFLite Micro's users align the arena to."""


def plan(graph: Graph, lowered: Sequence[Lowered], schedule: Schedule) -> MemoryPlan:
    """Place all activations and all scratch memory.

    Args:
        graph: the model.
        lowered: the layers.
        schedule: the steps that read and write the tensors, and which of these are rings.

    Returns:
        A plan that `verify` accepts.
    """
    touched = access(graph, lowered)
    rings = {touched.owner[tensor]: rows for tensor, rows in schedule.ring_rows.items()}
    found = live_rows.buffers(touched, schedule.steps, rings)
    return finished(graph, lowered, touched, schedule, found, placement.place(found))


def finished(
    graph: Graph,
    lowered: Sequence[Lowered],
    touched: Access,
    schedule: Schedule,
    found: Mapping[Key, Buffer],
    placed: Placement,
) -> MemoryPlan:
    """Return the checked plan of a placement."""
    spans = _steps_alive(touched, schedule)
    result = MemoryPlan(
        arena_bytes=-(-placed.bytes // ARENA_ALIGNMENT) * ARENA_ALIGNMENT,
        offsets={
            tensor: placed.offsets["tensor", root]
            for tensor, root in touched.owner.items()
            if ("tensor", root) in placed.offsets
        },
        live={tensor: spans[root] for tensor, root in touched.owner.items() if root in spans},
        scratch={
            index: (offset, found[kind, index].size)
            for (kind, index), offset in placed.offsets.items()
            if kind == "scratch"
        },
    )
    verify(graph, lowered, schedule, result)
    return result


def live_peak_bytes(graph: Graph, lowered: Sequence[Lowered], schedule: Schedule) -> int:
    """Return the most bytes of rows and scratch memory that live at once: no plan of this schedule can be smaller."""
    touched = access(graph, lowered)
    rings = {touched.owner[tensor]: rows for tensor, rows in schedule.ring_rows.items()}
    return live_rows.live_bytes(live_rows.buffers(touched, schedule.steps, rings))


def _steps_alive(touched: Access, schedule: Schedule) -> dict[int, tuple[int, int]]:
    """Root -> the first and the last step in which it is written or read."""
    spans: dict[int, tuple[int, int]] = dict.fromkeys(touched.inputs, (-1, -1))
    for index, step in enumerate(schedule.steps):
        work = touched.work.get(step.layer)
        roots = touched.inputs if work is None else (work.write.root, *(span.root for span in work.reads))
        for root in roots:
            spans[root] = (spans[root][0] if root in spans else index, index)
    end = len(schedule.steps)
    spans |= {root: (spans[root][0] if root in spans else -1, end) for root in touched.outputs}
    # A state lives from one inference to the next, whoever reads it last.
    return spans | dict.fromkeys(touched.states, (-1, end))
