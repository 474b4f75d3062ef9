"""DEPTHWISE_CONV_2D of packed weights. Twins: firmware/engine/depthwise_conv_2d_3x3_packed_s8.h,
depthwise_conv_2d_3x3_<packing>_s8.h."""

from __future__ import annotations

import dataclasses

import numpy as np

from edgekit.engine.lowered import Lowered
from edgekit.engine.ops import _linear, depthwise_conv_2d
from edgekit.engine.ops._convolution import window_fields
from edgekit.engine.options import EngineOptions
from edgekit.engine.packings import packed
from edgekit.tflite.graph import Graph, Op


def candidates(graph: Graph, op: Op, options: EngineOptions) -> tuple[Lowered, ...]:  # noqa: ARG001 (no choice here)
    """Lower one depthwise convolution for which the dense kernel of 3x3 windows serves: its weights are few."""
    layer = _linear.linear(graph, op)
    _, kernel_rows, kernel_columns, channels = layer.weights.shape
    window = window_fields(layer, (kernel_rows, kernel_columns), repeat=channels // layer.input.shape[3])
    if not _linear.is_int8_or_int4(layer) or not depthwise_conv_2d.is_3x3(layer, window):
        return ()
    dense = depthwise_conv_2d.lower_3x3(layer, window)
    weights, *others = dense.constants
    return tuple(
        dataclasses.replace(
            dense,
            kernel=f"depthwise_conv_2d_3x3_{made.name}_s8",
            fields={"dense": {**dense.fields, "weights": None}, "packed": made.fields},
            constants=(*made.constants, *others),
            scratch_bytes=weights.values.size,
            form=made.name,
            entries=weights.values.size,
        )
        for made in packed(weights.values.astype(np.int8), weights.values.size)
    )
