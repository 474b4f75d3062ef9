"""DEPTHWISE_CONV_2D of packed weights on the LX6. Twins:
firmware/engine/depthwise_conv_2d_narrow_<packing>_s8.mac16.h."""

from __future__ import annotations

import numpy as np

from edgekit.engine.cores.mac16._channels import channels
from edgekit.engine.cores.mac16.depthwise_conv_2d import lanes, suits, taps_of
from edgekit.engine.lowered import Lowered
from edgekit.engine.ops import _linear
from edgekit.engine.ops._convolution import rows_read
from edgekit.engine.options import EngineOptions
from edgekit.engine.packings import packed
from edgekit.tflite.graph import Graph, Op


def candidates(graph: Graph, op: Op, options: EngineOptions) -> tuple[Lowered, ...]:  # noqa: ARG001
    """Lower a depthwise convolution of 3 x 3; each channel is unpacked for a run of pixels."""
    layer = _linear.linear(graph, op)
    if not _linear.is_int8_or_int4(layer) or not suits(layer):
        return ()
    assert layer.weights.data is not None
    taps = taps_of(layer.weights.data.astype(np.int8))
    constants = channels(layer, taps, compact=True)
    if constants is None:
        return ()
    settings, scratch_bytes = lanes(layer)
    rows, columns = layer.output.shape[1:3]
    return tuple(
        Lowered(
            kernel=f"depthwise_conv_2d_narrow_{one.name}_s8.mac16",
            fields={"packed": one.fields, "lanes": settings},
            constants=(*one.constants, constants),
            inputs=(op.inputs[0],),
            output=op.outputs[0],
            scratch_bytes=scratch_bytes,
            rows_read=(rows_read(layer, layer.weights.shape[1]),),
            form=one.name,
            entries=taps.size * rows * -(-columns // int(settings["run"])),
        )
        for one in packed(taps.reshape(-1), taps.shape[1])
    )
