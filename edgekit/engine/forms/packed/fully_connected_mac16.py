"""FULLY_CONNECTED of packed weights on the LX6. Twins: firmware/engine/fully_connected_narrow_<packing>_s8.mac16.h."""

from __future__ import annotations

import numpy as np

from edgekit.engine.cores.mac16 import _narrow
from edgekit.engine.cores.mac16._channels import channels, output_fields
from edgekit.engine.cores.mac16._strip import by_words, vector_bytes
from edgekit.engine.lowered import Lowered, row_shape, same_rows
from edgekit.engine.ops import _linear
from edgekit.engine.options import EngineOptions
from edgekit.engine.packings import packed
from edgekit.tflite.graph import Graph, Op


def candidates(graph: Graph, op: Op, options: EngineOptions) -> tuple[Lowered, ...]:  # noqa: ARG001
    """Lower a fully connected layer of one vector a row; each output's weights are unpacked for each vector."""
    layer = _linear.linear(graph, op)
    if not _linear.is_int8_or_int4(layer) or row_shape(layer.output)[1] != layer.output.shape[-1]:
        return ()
    assert layer.weights.data is not None
    depth = layer.weights.shape[-1]
    weights = layer.weights.data.reshape(-1, depth).astype(np.int8)
    constants = channels(layer, weights, compact=True, held=_narrow.HELD)
    if constants is None:
        return ()
    is_by_words = depth % 4 == 0 and layer.input.data is None
    stream = _narrow.fours(by_words(weights) if is_by_words else weights).astype(np.int8)
    settings = {
        "channels": "channels",
        "to": output_fields(layer),
        "depth": depth,
        "quads": stream.shape[1] // 4,
        "by_words": int(is_by_words),
    }
    return tuple(
        Lowered(
            kernel=f"fully_connected_narrow_{one.name}_s8.mac16",
            fields={"packed": one.fields, **settings},
            constants=(*one.constants, constants),
            inputs=(op.inputs[0],),
            output=op.outputs[0],
            scratch_bytes=stream.shape[1] + vector_bytes(depth),
            rows_read=(same_rows(graph, op.inputs[0], op.outputs[0]),),
            form=one.name,
            entries=stream.size * row_shape(layer.output)[0],
        )
        for one in packed(stream.reshape(-1), stream.shape[1])
        if one.bytes < weights.size
    )
