"""CONV_2D. Twins: firmware/engine/conv_2d_runs_*_s8.dsp.h."""

from __future__ import annotations

from edgekit.engine.cores.dsp import _runs
from edgekit.engine.cores.dsp._scaling import scaling
from edgekit.engine.cores.dsp._tile import CHANNELS
from edgekit.engine.lowered import Lowered
from edgekit.engine.ops import _linear
from edgekit.engine.options import EngineOptions
from edgekit.tflite.graph import Graph, Op


def candidates(graph: Graph, op: Op, options: EngineOptions) -> tuple[Lowered, ...]:  # noqa: ARG001
    """Lower a convolution of int8 with int8 or int4, ungrouped, with four output channels or more."""
    layer = _linear.linear(graph, op)
    channels, _, _, seen = layer.weights.shape
    if layer.kernel_suffix not in ("s8", "s4") or seen != layer.input.shape[3] or channels < CHANNELS:
        return ()
    assert layer.weights.data is not None
    rows = layer.weights.data.reshape(channels, -1)
    scale = scaling(layer, rows)
    if scale is None:
        return ()
    return tuple(_runs.convolution(layer, scale, weights) for weights in _runs.packed(rows, scale))
