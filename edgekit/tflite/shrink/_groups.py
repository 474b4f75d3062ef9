"""Which channels stand or fall together: a depthwise layer's output channel goes with its input channel, and so on."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from edgekit.tflite.graph import Graph, Op
from edgekit.tflite.shrink._model import readers
from edgekit.tflite.shrink._ranges import is_linear

# Each element of the output depends on the element at the same place alone.
_UNARY = frozenset(
    ("RELU", "RELU6", "RELU_N1_TO_1", "LEAKY_RELU", "LOGISTIC", "TANH", "HARD_SWISH", "ELU", "ABS", "QUANTIZE")
)
_SPATIAL = frozenset(("AVERAGE_POOL_2D", "MAX_POOL_2D", "RESIZE_BILINEAR", "RESIZE_NEAREST_NEIGHBOR"))
_RESHAPES = frozenset(("RESHAPE", "SQUEEZE", "EXPAND_DIMS"))


@dataclass(eq=False)
class Groups:
    """Channels (indices of the last axis) as members of groups; a union-find structure.

    Attributes:
        members: tensor -> identity of each channel, shape (channels,); `root` says which group it belongs to.
        frozen: identities that must stay.
    """

    members: dict[int, NDArray[np.int64]] = field(default_factory=dict)
    frozen: set[int] = field(default_factory=set)
    _parents: list[int] = field(default_factory=list)

    def root(self, member: int) -> int:
        """Return the group that a channel belongs to."""
        while self._parents[member] != member:
            self._parents[member] = self._parents[self._parents[member]]
            member = self._parents[member]
        return member

    def roots(self, tensor: int) -> NDArray[np.int64]:
        """Return the group of each channel of a tensor."""
        return np.array([self.root(int(member)) for member in self.members[tensor]], np.int64)

    def is_frozen(self) -> set[int]:
        """Return the groups with a member that must stay."""
        return {self.root(member) for member in self.frozen}

    def add(self, tensor: int, channels: int) -> None:
        """Give a tensor channels of their own."""
        first = len(self._parents)
        self._parents.extend(range(first, first + channels))
        self.members[tensor] = np.arange(first, first + channels)

    def freeze(self, tensor: int) -> None:
        """Keep every channel of a tensor."""
        if tensor in self.members:
            self.frozen.update(int(member) for member in self.members[tensor])

    def join(self, first: NDArray[np.int64], second: NDArray[np.int64]) -> None:
        """Let the channels of two tensors go together, one by one."""
        for one, other in zip(first, second, strict=True):
            self._parents[self.root(int(one))] = self.root(int(other))


def groups(graph: Graph) -> Groups:
    """Return the groups of every activation of rank 1 and more.

    Frozen are the model's ends and whatever meets an operator that is not known here.
    """
    found = Groups()
    users = readers(graph)
    for tensor in graph.inputs:
        found.add(tensor, _channels(graph, tensor))
        found.freeze(tensor)
    for op in graph.ops:
        if not _follow(graph, op, found, users):
            for tensor in op.inputs:
                found.freeze(tensor)
            for tensor in op.outputs:
                found.add(tensor, _channels(graph, tensor))
                found.freeze(tensor)
    for tensor in graph.outputs:
        found.freeze(tensor)
    return found


def _channels(graph: Graph, tensor: int) -> int:
    shape = graph.tensors[tensor].shape
    return shape[-1] if shape else 1


def columns(graph: Graph, op: Op, members: NDArray[np.int64]) -> NDArray[np.int64] | None:
    """Return the identity of each column of a FULLY_CONNECTED's weights; None where vectors differ in theirs."""
    depth = graph.tensors[op.inputs[1]].shape[1]
    return _rows_agree(np.broadcast_to(members, graph.tensors[op.inputs[0]].shape).reshape(-1, depth))


def _rows_agree(rows: NDArray[np.int64]) -> NDArray[np.int64] | None:
    return rows[0] if bool(np.all(rows == rows[0])) else None


def _follow(graph: Graph, op: Op, found: Groups, users: dict[int, list[Op]]) -> bool:
    """Carry groups through an operator; False where it is not known."""
    source, target = op.inputs[0] if op.inputs else -1, op.outputs[0] if op.outputs else -1
    if source not in found.members or len(op.outputs) != 1 or not graph.tensors[target].shape:
        return False
    members = found.members[source]
    if is_linear(graph, op):
        if any(len(users[index]) > 1 for index in op.inputs[1:] if index >= 0):
            # Weights that another operator reads too cannot change for this one.
            return False
        return _follow_linear(graph, op, found)
    if op.kind in _UNARY or op.kind in _SPATIAL or _is_spatial_pad(graph, op) or _is_spatial_mean(graph, op):
        found.members[target] = members
        return True
    if op.kind in _RESHAPES and _keeps_axes(op):
        after = graph.tensors[target].shape
        passed = _rows_agree(np.broadcast_to(members, graph.tensors[source].shape).reshape(-1, after[-1]))
        is_known = len(op.inputs) == 1 or graph.tensors[op.inputs[1]].data is not None
        if passed is None or not is_known:
            return False
        found.members[target] = passed
        return True
    if op.kind in ("ADD", "SUB", "MUL"):
        second = op.inputs[1]
        same = second in found.members and graph.tensors[second].shape == graph.tensors[source].shape
        if same:
            found.join(members, found.members[second])
            found.members[target] = members
        return same
    return op.kind == "CONCATENATION" and _concatenate(graph, op, found)


def _follow_linear(graph: Graph, op: Op, found: Groups) -> bool:
    source, target = op.inputs[0], op.outputs[0]
    if op.kind == "FULLY_CONNECTED" and columns(graph, op, found.members[source]) is None:
        return False
    found.add(target, _channels(graph, target))
    if op.kind == "DEPTHWISE_CONV_2D":
        repeat = _channels(graph, target) // _channels(graph, source)
        found.join(np.repeat(found.members[source], repeat), found.members[target])
    return True


def _keeps_axes(op: Op) -> bool:
    """A SQUEEZE of every axis of size 1 would take the channels' too, once one of them is left."""
    dims = op.options.get("squeezeDims")
    return op.kind != "SQUEEZE" or (dims is not None and len(dims) > 0)


def _is_spatial_pad(graph: Graph, op: Op) -> bool:
    amounts = graph.tensors[op.inputs[1]].data if op.kind in ("PAD", "PADV2", "MIRROR_PAD") else None
    return amounts is not None and not np.any(amounts[-1])


def _is_spatial_mean(graph: Graph, op: Op) -> bool:
    axes = graph.tensors[op.inputs[1]].data if op.kind == "MEAN" else None
    rank = len(graph.tensors[op.inputs[0]].shape)
    return axes is not None and all(int(axis) % rank != rank - 1 for axis in axes.reshape(-1))


def _concatenate(graph: Graph, op: Op, found: Groups) -> bool:
    target = op.outputs[0]
    rank = len(graph.tensors[target].shape)
    if any(tensor not in found.members for tensor in op.inputs):
        return False
    parts = [found.members[tensor] for tensor in op.inputs]
    if int(op.options["axis"]) % rank == rank - 1:
        found.members[target] = np.concatenate(parts)
        return True
    for part in parts[1:]:
        found.join(part, parts[0])
    found.members[target] = parts[0]
    return True
