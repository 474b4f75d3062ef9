"""Row streaming: each row is computed when a row behind it asks for it.

Demand from the last layer gives the order, as with the line buffers of image pipelines. Blocks of one row keep the
fewest rows alive; a cut makes a tensor whole before anything reads it. So a number and a cut a layer describe layer by
layer, streaming, and every mix of both. Nothing is computed twice: unlike the patches of MCUNetV2, rows have no halo.

Source:
    Lin et al., MCUNetV2: Memory-efficient patch-based inference for tiny deep learning, 2021, for the idea of running
    the first layers piece by piece. What follows here, whole rows in rings, is the older line buffer.
"""

from __future__ import annotations

import itertools
from collections.abc import Collection, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from edgekit.engine.memory.access import Access, Span
from edgekit.engine.types import STREAMED, Step


@dataclass(frozen=True, slots=True)
class Demands:
    """What must be done before a row of work can be.

    Attributes:
        rows: layer -> its rows of work.
        needs: layer -> (layer before, rows of that which must be done) by row of work, never fewer than for the row
            before.
        sinks: layers that nothing asks, in order.
    """

    rows: Mapping[int, int]
    needs: Mapping[int, tuple[tuple[int, tuple[int, ...]], ...]]
    sinks: tuple[int, ...]


def demands(access: Access, *, stream_input: bool = False) -> Demands:
    """Return which layer's rows ask for which.

    Args:
        access: what the layers touch.
        stream_input: rows of the only input are asked for too.
    """
    rows = {layer: work.rows for layer, work in access.work.items()}
    needs: dict[int, list[tuple[int, tuple[int, ...]]]] = {layer: [] for layer in rows}
    for layer, work in access.work.items():
        for span in work.reads:
            if stream_input and span.root == access.inputs[0]:
                needs[layer].append((STREAMED, _running(span.last)))
            for writer in access.writers[span.root]:
                if writer != layer:
                    needs[layer].append((writer, _asked(access.work[writer].write, span)))
        # Layers that write parts of one tensor do so in their order: the first may fill what others write over.
        writers = access.writers[work.write.root]
        before = writers[: writers.index(layer)]
        if before:
            needs[layer].append((before[-1], _asked(access.work[before[-1]].write, work.write)))
    for users in _users_of_states(access):
        for user, after in itertools.pairwise(users):
            needs[after].append((user, (rows[user],) * rows[after]))
    if stream_input:
        rows[STREAMED] = access.places[access.inputs[0]].units
        needs[STREAMED] = []
    sinks = [layer for root in access.outputs for layer in access.writers[root]]
    return Demands(rows, {layer: tuple(found) for layer, found in needs.items()}, tuple(dict.fromkeys([*sinks, *rows])))


def _users_of_states(access: Access) -> list[list[int]]:
    users: dict[int, list[int]] = {root: [] for root in access.states}
    for layer, work in access.work.items():
        for root in work.states:
            users[root].append(layer)
    return list(users.values())


def _asked(written: Span, needed: Span) -> tuple[int, ...]:
    """Rows of work of a writer that must be done, by row of work of a reader."""
    # Every row that begins in front of the last unit needed; one that writes nothing begins behind the end.
    starts = np.where(written.last > written.first, written.first, -1)
    starts = np.maximum.accumulate(starts)
    last = np.where(needed.last > needed.first, needed.last, 0)
    return _running(np.searchsorted(starts, last, side="left"))


def _running(counts: NDArray[np.int64]) -> tuple[int, ...]:
    return tuple(np.maximum.accumulate(counts).tolist())


def streamed(asked: Demands, blocks: Mapping[int, int], cuts: Collection[int] = ()) -> tuple[Step, ...]:
    """Return the steps in which sinks ask for their rows.

    Args:
        asked: what asks for what.
        blocks: layer -> rows a step; a layer that is not named computes all of its rows at once.
        cuts: layers all of whose rows are done before the first of them is read.
    """
    needs = (
        {
            layer: [
                (other, tuple(asked.rows[other] if other in cuts and row else row for row in rows))
                for other, rows in found
            ]
            for layer, found in asked.needs.items()
        }
        if cuts
        else asked.needs
    )
    done = dict.fromkeys(asked.rows, 0)
    steps: list[Step] = []
    for sink in asked.sinks:
        stack = [(sink, asked.rows[sink])]
        while stack:
            layer, target = stack[-1]
            begin = done[layer]
            if begin >= target:
                stack.pop()
                continue
            end = min(begin + blocks.get(layer, asked.rows[layer]), asked.rows[layer])
            missing = [(other, rows[end - 1]) for other, rows in needs[layer] if done[other] < rows[end - 1]]
            if missing:
                stack.extend(reversed(missing))
                continue
            steps.append(Step(layer, begin, end))
            done[layer] = end
    return tuple(steps)
