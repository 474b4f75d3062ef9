"""In which order the operators of a branching graph run: the one whose peak is lowest.

A search over sets of layers that are done, lowest peak first: what is alive depends on the set alone. A layer that
frees more than it takes, without passing the peak so far, is run at once, since waiting can only keep more alive.

Source:
    Liberis and Lane, Neural networks on microcontrollers: saving memory at inference via operator reordering, 2019,
    for the search over sets of operators.
"""

from __future__ import annotations

import heapq
import itertools
from collections.abc import Sequence
from dataclasses import dataclass

from edgekit.engine.memory.access import Access
from edgekit.engine.memory.streaming import Demands

# Sets of layers that are looked at; a graph with more of them runs in its own order.
_MOST_SETS = 4000


@dataclass(frozen=True, slots=True)
class _Layer:
    """One layer as a bit of a set.

    Attributes:
        bit: its own.
        before: the bits of those that must be done before.
        makes: the place that it writes.
        reads: the places that it reads.
        overlaps: its output may take the place of the rows of a dying input.
        scratch: bytes of its work memory.
    """

    bit: int
    before: int
    makes: int
    reads: tuple[int, ...]
    overlaps: bool
    scratch: int


def best_order(access: Access, asked: Demands) -> tuple[int, ...]:
    """Return the layers in an order with a low peak; in that of the model where no other has a lower one."""
    order = tuple(access.work)
    layers = _layers(access, asked)
    if len(order) < 3 or not _branches(order, layers):
        return order
    return _search(access, order, layers) or order


def _layers(access: Access, asked: Demands) -> dict[int, _Layer]:
    bits = {layer: 1 << place for place, layer in enumerate(access.work)}
    found = {}
    for layer, work in access.work.items():
        before = 0
        for other, rows in asked.needs[layer]:
            before |= bits[other] if rows[-1] else 0
        reads = tuple(dict.fromkeys(span.root for span in work.reads))
        found[layer] = _Layer(bits[layer], before, work.write.root, reads, work.by_rows, work.scratch_bytes)
    return found


def _branches(order: Sequence[int], layers: dict[int, _Layer]) -> bool:
    """Whether some layer could run before one that stands in front of it."""
    return any(not layers[after].before & layers[layer].bit for layer, after in itertools.pairwise(order))


class _Memory:
    """What is alive after a set of layers."""

    def __init__(self, access: Access, layers: dict[int, _Layer]) -> None:
        self.size = {root: place.units * place.unit_bytes for root, place in access.places.items()}
        self.writers = {root: self._bits(layers, found) for root, found in access.writers.items()}
        self.readers = {root: self._bits(layers, found) for root, found in access.readers.items()}
        self.kept = {*access.outputs, *access.states}

    @staticmethod
    def _bits(layers: dict[int, _Layer], found: Sequence[int]) -> int:
        return sum(layers[layer].bit for layer in found)

    def change(self, layer: _Layer, done: int) -> tuple[int, int]:
        """Return the bytes that a layer takes, and those that die with it, after what is done."""
        takes = 0 if self.writers[layer.makes] & done or layer.makes in self.kept else self.size[layer.makes]
        after, frees = done | layer.bit, 0
        for root in (*layer.reads, layer.makes):
            # What is still written, or still read, lives on.
            if root not in self.kept and not (self.readers[root] | self.writers[root]) & ~after:
                frees += self.size[root]
        return takes, frees


def _search(access: Access, order: Sequence[int], layers: dict[int, _Layer]) -> tuple[int, ...] | None:
    """The best order, found first by its peak, then by how far it has come; None where it takes too long."""
    memory, count = _Memory(access, layers), itertools.count()
    everything = sum(layer.bit for layer in layers.values())
    # Peak, number of layers still to do, ties in order; live bytes, done, order so far.
    heap: list[tuple[int, int, int, int, int, tuple[int, ...]]] = [(0, len(order), next(count), 0, 0, ())]
    seen: set[int] = set()
    while heap and len(seen) < _MOST_SETS:
        peak, _, _, live, done, path = heapq.heappop(heap)
        if done == everything:
            return path
        if done in seen:
            continue
        seen.add(done)
        moves = []
        for name in order:
            layer = layers[name]
            if not layer.bit & done and not layer.before & ~done:
                takes, frees = memory.change(layer, done)
                after = live + takes - frees
                needs = (max(live, after) if layer.overlaps else live + takes) + layer.scratch
                moves.append((max(peak, needs), after, layer.bit, name))
        safe = [move for move in moves if move[0] == peak and move[1] <= live]
        for higher, after, bit, name in safe[:1] or moves:
            heapq.heappush(heap, (higher, len(order) - len(path) - 1, next(count), after, done | bit, (*path, name)))
    return None
