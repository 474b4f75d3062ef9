"""CONV_2D of packed weights on the LX6. Twins: firmware/engine/conv_2d_narrow_<packing>_s8.mac16.h."""

from __future__ import annotations

import numpy as np

from edgekit.engine.cores.mac16 import _narrow
from edgekit.engine.cores.mac16._channels import channels
from edgekit.engine.lowered import Lowered
from edgekit.engine.ops import _linear
from edgekit.engine.ops._convolution import rows_read
from edgekit.engine.options import EngineOptions
from edgekit.engine.packings import packed
from edgekit.tflite.graph import Graph, Op


def candidates(graph: Graph, op: Op, options: EngineOptions) -> tuple[Lowered, ...]:  # noqa: ARG001
    """Lower one convolution of all input channels; each channel is unpacked and widened for a block of pixels."""
    layer = _linear.linear(graph, op)
    if layer.input.shape[3] != layer.weights.shape[3] or not _linear.is_int8_or_int4(layer):
        return ()
    assert layer.weights.data is not None
    weights = layer.weights.data.astype(np.int8)
    constants = channels(layer, weights.reshape(len(weights), -1), compact=True, held=_narrow.HELD)
    if constants is None:
        return ()
    made = _narrow.block(layer, (weights.shape[1], weights.shape[2]))
    stream = _narrow.fours(made.strip.rows(weights)).astype(np.int8).reshape(-1)
    return tuple(
        Lowered(
            kernel=f"conv_2d_narrow_{one.name}_s8.mac16",
            fields={"packed": one.fields, "pixels": made.fields(layer)},
            constants=(*one.constants, constants),
            inputs=(op.inputs[0],),
            output=op.outputs[0],
            scratch_bytes=made.scratch_bytes,
            rows_read=(rows_read(layer, made.strip.kernel[0]),),
            form=one.name,
            entries=stream.size * made.count(layer),
        )
        for one in packed(stream, 4 * made.strip.quads)
        if one.bytes < weights.size
    )
