"""DEPTHWISE_CONV_2D of packed weights. Twins: firmware/engine/depthwise_conv_2d_3x3_packed_s8.h,
depthwise_conv_2d_3x3_<packing>_s8.h, depthwise_conv_2d_int4_s8.h."""

from __future__ import annotations

from edgekit.engine.forms.packed._whole import unpacked_whole
from edgekit.engine.lowered import Lowered
from edgekit.engine.ops import _linear, depthwise_conv_2d
from edgekit.engine.ops._convolution import window_fields
from edgekit.engine.options import EngineOptions
from edgekit.engine.packings import names
from edgekit.tflite.graph import Graph, Op


def candidates(graph: Graph, op: Op, options: EngineOptions) -> tuple[Lowered, ...]:  # noqa: ARG001 (no choice here)
    """Lower one depthwise convolution: windows of 3x3 from any packing, others from 4 bits."""
    layer = _linear.linear(graph, op)
    if not _linear.is_int8_or_int4(layer):
        return ()
    _, kernel_rows, kernel_columns, channels = layer.weights.shape
    window = window_fields(layer, (kernel_rows, kernel_columns), repeat=channels // layer.input.shape[3])
    if depthwise_conv_2d.is_3x3(layer, window):
        kernels = {packing: f"depthwise_conv_2d_3x3_{packing}_s8" for packing in names()}
        return unpacked_whole(depthwise_conv_2d.lower_3x3(layer, window), kernels)
    return unpacked_whole(depthwise_conv_2d.lower_any(layer, window), {"int4": "depthwise_conv_2d_int4_s8"})
