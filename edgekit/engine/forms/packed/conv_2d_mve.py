"""CONV_2D of packed weights for the vector extension. Twins: firmware/engine/conv_2d_tile_packed_s8.mve.h,
conv_2d_tile_<packing>_s8.mve.h."""

from __future__ import annotations

from edgekit.engine.forms.packed._matrix_mve import BEHIND, packed_matrices, suits
from edgekit.engine.forms.packed.conv_2d import in_runs
from edgekit.engine.lowered import Lowered
from edgekit.engine.ops import _linear
from edgekit.engine.options import EngineOptions
from edgekit.tflite.graph import Graph, Op


def candidates(graph: Graph, op: Op, options: EngineOptions) -> tuple[Lowered, ...]:
    """Lower one convolution of all input channels, none of whose accumulators is scaled up."""
    layer = _linear.linear(graph, op)
    if layer.input.shape[3] != layer.weights.shape[3] or not suits(layer):
        return ()
    return in_runs(layer, packed_matrices, "conv_2d_tile_{packing}_s8.mve", BEHIND, options)
