"""An independent check of a plan: a walk through the schedule, row by row, with the owner of each byte of the arena.

It knows what a kernel may read and write while it computes a row, and nothing of live ranges or of how the planner
works. A byte belongs to one byte of one tensor (or to scratch memory) from when that is written until something else
is; whoever reads must find its own.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from edgekit.engine.lowered import Lowered, row_bytes, row_shape
from edgekit.engine.types import STREAMED, MemoryPlan, Schedule, Step
from edgekit.tflite.graph import Graph

_NOBODY = -1
_TENSOR = (
    1 << 40
)  # The owner of byte i of a tensor is root * _TENSOR + i; scratch memory counts from behind the tensors.


def verify(graph: Graph, lowered: Sequence[Lowered], schedule: Schedule, plan: MemoryPlan) -> None:
    """Walk the schedule and check every byte it touches.

    Raises:
        AssertionError: something is read that was written over, not yet written, or lies outside of the arena; or the
            schedule does not compute every row once: a fault of the planner.
    """
    walk = _Walk(graph, lowered, schedule, plan)
    walk.start()
    for step in schedule.steps:
        walk.step(step)
    walk.finish()


class _Walk:
    def __init__(self, graph: Graph, lowered: Sequence[Lowered], schedule: Schedule, plan: MemoryPlan) -> None:
        self.graph, self.lowered, self.schedule, self.plan = graph, lowered, schedule, plan
        self.owner: NDArray[np.int64] = np.full(plan.arena_bytes, _NOBODY, np.int64)
        self.rows = {tensor.index: row_shape(tensor)[0] for tensor in graph.tensors}
        self.row_bytes = {tensor.index: row_bytes(tensor) for tensor in graph.tensors}
        self.root = {tensor.index: tensor.index for tensor in graph.tensors if tensor.data is None}
        for item in lowered:
            if not item.kernel and item.inputs[0] in self.root:
                self.root[item.output] = self.root[item.inputs[0]]
        self.states = {
            index for item in lowered for index in (*item.inputs, *item.states) if graph.tensors[index].is_variable
        }
        # Rows of work that each layer has done; layers that write each root, and which of its bytes some wrote.
        self.done: dict[int, list[int]] = {layer: [] for layer, item in enumerate(lowered) if item.kernel}
        self.writers: dict[int, list[int]] = {}
        for layer in self.done:
            self.writers.setdefault(self.root[lowered[layer].output], []).append(layer)
        self.written: dict[tuple[int, int], set[int]] = {}
        self.is_streamed = any(step.layer == STREAMED for step in schedule.steps)
        self.taken = 0

    def start(self) -> None:
        """What is there before the first step."""
        for tensor in (*self.states, *(() if self.is_streamed else self.graph.inputs)):
            self.claim(tensor, range(self.rows[tensor]))

    def step(self, step: Step) -> None:
        """Rows of one layer, or of the streamed input."""
        if step.layer == STREAMED:
            assert step.row_begin == self.taken, "rows of the streamed input come in order"
            self.taken = step.row_end
            self.claim(self.graph.inputs[0], range(step.row_begin, step.row_end))
            return
        item = self.lowered[step.layer]
        rows = range(step.row_begin, step.row_end)
        begins = not self.done[step.layer]
        for tensor in item.inputs:
            self.read_is_ready(item, tensor, rows)
        if any(window is not None for window in item.rows_read):
            for row in rows:
                self.compute(step.layer, range(row, row + 1), begins=begins and row == step.row_begin)
        else:
            self.compute(step.layer, rows, begins=begins)
        self.done[step.layer] += rows

    def compute(self, layer: int, rows: range, *, begins: bool) -> None:
        """All writes of these rows, then all reads: what reads and writes at once must not meet."""
        item = self.lowered[layer]
        scratch = self.plan.scratch.get(layer)
        assert bool(item.scratch_bytes) == (scratch is not None), f"layer {layer}: scratch memory"
        if scratch is not None:
            assert scratch[1] >= (item.scratch_bytes or 0)
            if item.keeps_scratch and not begins:
                self.keeps(layer, *scratch)
            self.own(layer, *scratch)
        written = rows
        if item.work_rows is not None:
            written = range(self.rows[item.output] if rows.stop == item.work_rows else 0)
        self.write(layer, item.output, written)
        for position, tensor in enumerate(item.inputs):
            self.expect(tensor, self.needed(item, position, rows), f"layer {layer} reads")
        for tensor in item.states:
            self.expect(tensor, range(self.rows[tensor]), f"layer {layer} updates")
        if scratch is not None:
            self.keeps(layer, *scratch)
        self.expect(item.output, written, f"layer {layer} writes")

    def needed(self, item: Lowered, position: int, rows: range) -> range:
        """Rows of an input that rows of work need."""
        tensor = item.inputs[position]
        if tensor not in self.root:
            return range(0)
        count = self.rows[tensor]
        window = item.rows_read[position] if position < len(item.rows_read) else None
        if window is None:
            return range(count)
        first = rows.start * window.step - window.before
        last = (rows.stop - 1) * window.step - window.before + window.count
        return range(max(0, first), min(count, last))

    def read_is_ready(self, item: Lowered, tensor: int, rows: range) -> None:
        """Every layer that writes a part of what is read has done so."""
        if tensor not in self.root or tensor in self.states:
            return
        size = self.row_bytes[tensor]
        for position, other in enumerate(item.inputs):
            if other != tensor:
                continue
            needed = self.needed(item, position, rows)
            for layer in self.writers.get(self.root[tensor], []):
                written = self.written.get((layer, self.root[tensor]), set())
                output = self.row_bytes[self.lowered[layer].output]
                if needed:
                    first, last = needed.start * size // output, (needed.stop * size - 1) // output
                    missing = set(range(first, last + 1)) - written
                    assert not missing, f"tensor {tensor}: rows {sorted(missing)[:3]} are read before layer {layer} ran"

    def write(self, layer: int, tensor: int, rows: range) -> None:
        root = self.root[tensor]
        for row in rows:
            if any(row in self.written.get((other, root), ()) for other in self.writers[root]):
                self.expect(tensor, range(row, row + 1), f"layer {layer} adds to")
            else:
                self.claim(tensor, range(row, row + 1))
        self.written.setdefault((layer, root), set()).update(rows)

    def places(self, tensor: int, rows: range) -> Iterator[tuple[slice, NDArray[np.int64]]]:
        """Bytes of the arena in which rows lie one behind the other, and who should own them."""
        size, ring = self.row_bytes[tensor], min(self.schedule.ring_rows.get(tensor, 1 << 30), self.rows[tensor])
        assert self.plan.offsets[tensor] % 4 == 0, f"tensor {tensor} is unaligned"
        begin = rows.start
        while begin < rows.stop:
            end = min(rows.stop, begin - begin % ring + ring)
            offset = self.plan.offsets[tensor] + begin % ring * size
            behind = offset + (end - begin) * size
            assert offset >= 0 and behind <= self.plan.arena_bytes, f"tensor {tensor} is outside of the arena"
            owner = self.root[tensor] * _TENSOR
            yield slice(offset, behind), np.arange(owner + begin * size, owner + end * size)
            begin = end

    def claim(self, tensor: int, rows: range) -> None:
        for where, owners in self.places(tensor, rows):
            self.owner[where] = owners

    def expect(self, tensor: int, rows: range, what: str) -> None:
        if tensor not in self.root:
            return
        for where, owners in self.places(tensor, rows):
            wrong = self.owner[where] != owners
            if wrong.any():
                culprit, row = int(self.owner[where][wrong][0]), int(owners[wrong][0]) % _TENSOR
                raise AssertionError(
                    f"{what} row {row // self.row_bytes[tensor]} of tensor {tensor}, overlapped by "
                    f"{'nothing yet' if culprit == _NOBODY else f'tensor {culprit // _TENSOR}'}"
                )

    def own(self, layer: int, offset: int, size: int) -> None:
        assert offset >= 0 and offset + size <= self.plan.arena_bytes and offset % 4 == 0, f"scratch of layer {layer}"
        self.owner[offset : offset + size] = (len(self.graph.tensors) + layer) * _TENSOR

    def keeps(self, layer: int, offset: int, size: int) -> None:
        mine = self.owner[offset : offset + size] == (len(self.graph.tensors) + layer) * _TENSOR
        assert mine.all(), f"the scratch memory of layer {layer} is overlapped"

    def finish(self) -> None:
        """Every row was computed once; outputs and states are whole."""
        for layer, done in self.done.items():
            item = self.lowered[layer]
            rows = item.work_rows or self.rows[item.output]
            assert sorted(done) == list(range(rows)), f"layer {layer} computes rows {done[:3]}... of {rows}"
            assert done == sorted(done) or item.work_rows is None, f"layer {layer} adds up rows out of order"
        if self.is_streamed:
            assert self.taken == self.rows[self.graph.inputs[0]], "the input is not taken whole"
        for tensor in (*self.graph.outputs, *self.states):
            self.expect(tensor, range(self.rows[tensor]), "the application reads")
