"""Operators that become one kernel: a table look-up written as CAST, ADD and GATHER.

TFLite has no operator for an arbitrary function of an int8 activation. `edgekit.tflite.rewrite.lookup_tables` writes it
as three, whose int32 indices take eight times the activation's memory. Here they become the one load that they mean.
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass

import numpy as np

from edgekit.engine import ops
from edgekit.engine.lowered import Check, Lowered
from edgekit.engine.ops import _table, add, cast, gather
from edgekit.engine.ops._fixed_point import codes
from edgekit.engine.options import EngineOptions
from edgekit.tflite.graph import Graph, Op


@dataclass(frozen=True, slots=True)
class _LookUp:
    """A GATHER whose indices are the codes of an int8 tensor plus an offset.

    Attributes:
        source: the int8 tensor.
        offset: added to its codes.
        chain: positions of the operators that compute the indices.
    """

    source: int
    offset: int
    chain: tuple[int, ...]


def lower(graph: Graph, options: EngineOptions) -> tuple[Lowered, ...]:
    """Lower all operators of a graph.

    Returns:
        The layers in the order in which they run, without those that nothing reads any more.

    Raises:
        UnsupportedOpError: an operator that aot cannot run.
    """
    look_ups = _look_ups(graph)
    unread = _unread(graph, look_ups)
    layers: list[Lowered] = []
    for op in graph.ops:
        if op.index in look_ups:
            layers.append(_lower_look_up(graph, op, look_ups[op.index]))
        elif op.index not in unread:
            layers += ops.lower(graph, op, options)
    return tuple(layers)


def _look_ups(graph: Graph) -> dict[int, _LookUp]:
    makers = {output: op for op in graph.ops for output in op.outputs}
    found = {op.index: _look_up(graph, op, makers) for op in graph.ops if op.kind == "GATHER"}
    return {index: look_up for index, look_up in found.items() if look_up is not None}


def _look_up(graph: Graph, op: Op, makers: dict[int, Op]) -> _LookUp | None:
    table, output = graph.tensors[op.inputs[0]], graph.tensors[op.outputs[0]]
    if table.data is None or table.dtype != "int8" or table.data.ndim != 1 or int(op.options.get("batchDims", 0)):
        return None
    indices, offset, chain = op.inputs[1], 0, []
    added = makers.get(indices)
    if added is not None and added.kind == "ADD":
        constants = [index for index in added.inputs if graph.tensors[index].data is not None]
        others = [index for index in added.inputs if graph.tensors[index].data is None]
        if len(constants) != 1 or len(others) != 1 or graph.tensors[constants[0]].elements != 1:
            return None
        data = graph.tensors[constants[0]].data
        assert data is not None
        indices, offset = others[0], int(data.reshape(-1)[0])
        if not _runs(graph, added, add.CHECKS):
            return None
        chain.append(added.index)
    widened = makers.get(indices)
    if widened is None or widened.kind != "CAST" or graph.tensors[indices].dtype != "int32":
        return None
    if not _runs(graph, widened, cast.CHECKS) or not _runs(graph, op, gather.CHECKS):
        return None
    source = graph.tensors[widened.inputs[0]]
    reaches = -128 + offset >= 0 and 127 + offset < len(table.data)
    is_activation = source.dtype == "int8" and source.data is None and not source.is_variable
    if not is_activation or source.shape != output.shape or not reaches:
        return None
    return _LookUp(source.index, offset, (widened.index, *chain))


def _runs(graph: Graph, op: Op, checks: tuple[Check, ...]) -> bool:
    """Whether an operator can run by itself; one that cannot is refused where it is lowered."""
    return all(check(graph, op) is None for check in checks)


def _unread(graph: Graph, look_ups: dict[int, _LookUp]) -> set[int]:
    """Operators of the chains whose results nothing else reads."""
    unread: set[int] = set()
    candidates = {index for look_up in look_ups.values() for index in look_up.chain}
    for index in sorted(candidates, reverse=True):
        output = graph.ops[index].outputs[0]
        readers = [op.index for op in graph.ops if output in op.inputs]
        if output not in graph.outputs and all(reader in look_ups or reader in unread for reader in readers):
            unread.add(index)
    return unread


def _lower_look_up(graph: Graph, op: Op, look_up: _LookUp) -> Lowered:
    table = graph.tensors[op.inputs[0]].data
    assert table is not None
    values = [int(np.int8(table[code + look_up.offset])) for code in codes()]
    lowered = _table.lower_values(graph, look_up.source, op.outputs[0], values)
    return dataclasses.replace(lowered, op=op.index, name=ops.layer_name(op))
