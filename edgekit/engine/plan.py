"""Where the arena holds each tensor, and an independent check of it."""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from edgekit.engine.lowered import Lowered, row_bytes, row_shape
from edgekit.engine.schedule import states
from edgekit.engine.types import MemoryPlan, Schedule
from edgekit.tflite.graph import Graph

# Kernels of cores with wide loads want words; the arena itself is what TFLite Micro users align to.
_ALIGNMENT = 4
_ARENA_ALIGNMENT = 16
# A try looks at each pair of buffers: few dozens of them allow many tries in well under a second, hundreds few.
_SWAP_TRIES = 2000
_SWAP_PAIRS = 4_000_000


@dataclass(frozen=True, slots=True)
class _Buffer:
    """Bytes that live from the first to the last step, both inclusive."""

    size: int
    first: int
    last: int


def plan(graph: Graph, lowered: Sequence[Lowered], schedule: Schedule) -> MemoryPlan:
    """Place all activations and all scratch memory.

    First fit in several orders, the best of them improved by swaps until it meets the bound that no plan without
    overlap can pass, or the tries are spent.

    Args:
        graph: the model.
        lowered: the layers.
        schedule: the steps that read and write the tensors.

    Returns:
        A plan that `verify` accepts.
    """
    owner = _owners(graph, lowered)
    live = _live_ranges(graph, lowered, schedule, owner)
    buffers = {
        ("tensor", tensor): _Buffer(_stored_bytes(graph, schedule, tensor), *span) for tensor, span in live.items()
    }
    for index, step in enumerate(schedule.steps):
        scratch = lowered[step.layer].scratch_bytes or 0
        if scratch:
            key = ("scratch", step.layer)
            buffers[key] = _Buffer(scratch, buffers[key].first if key in buffers else index, index)
    offsets = _best_placement(buffers)
    arena = _extent(buffers, offsets)
    result = MemoryPlan(
        arena_bytes=-(-arena // _ARENA_ALIGNMENT) * _ARENA_ALIGNMENT,
        offsets={tensor: offsets["tensor", root] for tensor, root in owner.items() if root in live},
        live={tensor: live[root] for tensor, root in owner.items() if root in live},
        scratch={
            index: (offsets[kind, index], buffers[kind, index].size) for kind, index in buffers if kind == "scratch"
        },
    )
    verify(graph, lowered, schedule, result)
    return result


def live_peak_bytes(graph: Graph, lowered: Sequence[Lowered], schedule: Schedule) -> int:
    """Return the largest sum of tensors that are alive at one step: no plan without overlap can be smaller."""
    live = _live_ranges(graph, lowered, schedule, _owners(graph, lowered))
    return max(
        sum(_stored_bytes(graph, schedule, tensor) for tensor, (first, last) in live.items() if first <= step <= last)
        for step in range(-1, len(schedule.steps) + 1)
    )


def verify(graph: Graph, lowered: Sequence[Lowered], schedule: Schedule, result: MemoryPlan) -> None:
    """Walk the schedule and check every byte it touches, without the planner's own bookkeeping.

    Raises:
        AssertionError: two living things overlap, or something lies outside of the arena: a fault of the planner.
    """
    owner = _owners(graph, lowered)
    kept = states(graph, lowered)
    last_use = {owner[tensor]: len(schedule.steps) for tensor in (*graph.outputs, *kept)}
    for index, step in enumerate(schedule.steps):
        item = lowered[step.layer]
        # A tensor that several layers write part by part must keep what the earlier ones wrote.
        for tensor in (*item.inputs, item.output):
            if tensor in owner:
                last_use[owner[tensor]] = max(last_use.get(owner[tensor], -1), index)
    holders: dict[int, tuple[int, int]] = {}
    for tensor in (*kept, *graph.inputs):
        _claim(
            holders,
            owner[tensor],
            result.offsets[tensor],
            graph.tensors[tensor].size_bytes,
            result.arena_bytes,
        )
    # An input that no layer reads may be written over by the first one.
    holders = {root: span for root, span in holders.items() if root in last_use}
    for index, step in enumerate(schedule.steps):
        item = lowered[step.layer]
        size = _stored_bytes(graph, schedule, item.output)
        _claim(holders, owner[item.output], result.offsets[item.output], size, result.arena_bytes)
        if step.layer in result.scratch:
            _claim(holders, -1, *result.scratch[step.layer], result.arena_bytes)
            del holders[-1]
        holders = {root: span for root, span in holders.items() if last_use.get(root, -1) > index}


def _claim(holders: dict[int, tuple[int, int]], root: int, offset: int, size: int, arena_bytes: int) -> None:
    if offset < 0 or offset + size > arena_bytes or offset % _ALIGNMENT:
        raise AssertionError(f"tensor {root} at {offset} of {size} bytes is outside of the arena or unaligned")
    for other, (other_offset, other_size) in holders.items():
        if other != root and offset < other_offset + other_size and other_offset < offset + size:
            raise AssertionError(f"tensor {root} overlaps tensor {other}")
    holders[root] = (offset, size)


def _owners(graph: Graph, lowered: Sequence[Lowered]) -> dict[int, int]:
    """Tensor -> the tensor whose place it shares: itself, or what a reshape renamed."""
    owner = {tensor.index: tensor.index for tensor in graph.tensors if tensor.data is None}
    for item in lowered:
        if not item.kernel and item.inputs[0] in owner:
            owner[item.output] = owner[item.inputs[0]]
    return owner


def _stored_bytes(graph: Graph, schedule: Schedule, tensor: int) -> int:
    rows, _ = row_shape(graph.tensors[tensor])
    return min(schedule.ring_rows.get(tensor, rows), rows) * row_bytes(graph.tensors[tensor])


def _live_ranges(
    graph: Graph, lowered: Sequence[Lowered], schedule: Schedule, owner: Mapping[int, int]
) -> dict[int, tuple[int, int]]:
    live = {owner[tensor]: (-1, -1) for tensor in graph.inputs}
    for index, step in enumerate(schedule.steps):
        item = lowered[step.layer]
        for tensor in (*item.inputs, item.output):
            if tensor in owner:
                first, _ = live.get(owner[tensor], (index, index))
                live[owner[tensor]] = (first, index)
    for tensor in graph.outputs:
        first, _ = live.get(owner[tensor], (-1, -1))
        live[owner[tensor]] = (first, len(schedule.steps))
    # A state lives from one inference to the next, whoever reads it last.
    live |= {owner[tensor]: (-1, len(schedule.steps)) for tensor in states(graph, lowered)}
    return live


_Key = tuple[str, int]


def _best_placement(buffers: Mapping[_Key, _Buffer]) -> dict[_Key, int]:
    """Place in the best of a few orders; where that misses the bound, try seeded swaps."""
    bound = _overlap_bound(buffers)
    orders = [
        sorted(buffers, key=lambda key: (-buffers[key].size, buffers[key].first, key)),
        sorted(buffers, key=lambda key: (buffers[key].first - buffers[key].last, -buffers[key].size, key)),
        sorted(buffers, key=lambda key: (buffers[key].first, -buffers[key].size, key)),
        sorted(buffers, key=lambda key: (-buffers[key].last, -buffers[key].size, key)),
    ]
    order = min(orders, key=lambda candidate: _extent(buffers, _place(buffers, candidate)))
    best = _place(buffers, order)
    chance = random.Random(0)
    for _ in range(min(_SWAP_TRIES, _SWAP_PAIRS // max(1, len(order)) ** 2)):
        if _extent(buffers, best) <= bound + _ALIGNMENT or len(order) < 2:
            break
        candidate = list(order)
        left, right = chance.sample(range(len(order)), 2)
        candidate.insert(left, candidate.pop(right))
        placed = _place(buffers, candidate)
        if _extent(buffers, placed) <= _extent(buffers, best):
            order, best = candidate, placed
    return best


def _extent(buffers: Mapping[_Key, _Buffer], offsets: Mapping[_Key, int]) -> int:
    return max((offsets[key] + buffer.size for key, buffer in buffers.items()), default=0)


def _overlap_bound(buffers: Mapping[_Key, _Buffer]) -> int:
    """The largest sum of sizes alive at one step."""
    return max(
        (
            sum(other.size for other in buffers.values() if other.first <= buffer.first <= other.last)
            for buffer in buffers.values()
        ),
        default=0,
    )


def _place(buffers: Mapping[_Key, _Buffer], order: Sequence[_Key]) -> dict[_Key, int]:
    """First fit: each buffer at the lowest offset that is free during its whole life."""
    offsets: dict[_Key, int] = {}
    for key in order:
        buffer = buffers[key]
        taken = sorted(
            (offsets[other], offsets[other] + buffers[other].size)
            for other in offsets
            if buffers[other].first <= buffer.last and buffer.first <= buffers[other].last
        )
        offset = 0
        for begin, end in taken:
            if offset + buffer.size <= begin:
                break
            offset = max(offset, -(-end // _ALIGNMENT) * _ALIGNMENT)
        offsets[key] = offset
    return offsets
