"""Outputs that are known while building: the kernel only writes them down. Twin: firmware/engine/constant.h."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from edgekit.engine.lowered import Constant, Lowered
from edgekit.tflite.graph import Graph, Op


def lower_constant(graph: Graph, op: Op, values: NDArray[Any]) -> Lowered:
    """Lower an operator whose output holds `values`, one an element."""
    output = graph.tensors[op.outputs[0]]
    stored = Constant("values", values.reshape(-1).astype(np.dtype(output.dtype)), f"({output.elements})")
    return Lowered("constant", {"values": "values"}, (stored,), (), op.outputs[0])
