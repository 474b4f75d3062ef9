"""CONV_2D. Twins: firmware/engine/conv_2d_runs_*_s8.dsp.h."""

from __future__ import annotations

from edgekit.engine.cores.dsp import _runs, conv_2d
from edgekit.engine.cores.dsp._scaling import scaling
from edgekit.engine.lowered import Lowered
from edgekit.engine.ops import _linear
from edgekit.engine.options import EngineOptions
from edgekit.tflite.graph import Graph, Op


def candidates(graph: Graph, op: Op, options: EngineOptions) -> tuple[Lowered, ...]:
    """Lower a convolution of int8 with int8 or int4, ungrouped, with four output channels or more."""
    layer = _linear.linear(graph, op)
    rows = conv_2d.matrix(layer)
    scale = None if rows is None else scaling(layer, rows)
    if rows is None or scale is None:
        return ()
    return tuple(
        _runs.convolution(graph, layer, scale, weights, options.optimize)
        for weights in _runs.packed(layer, rows, scale)
    )
