"""FULLY_CONNECTED without the zeros on the LX6. Twin: firmware/engine/fully_connected_gaps_s8.mac16.h."""

from __future__ import annotations

import numpy as np

from edgekit.engine.cores.mac16._channels import channels, output_fields
from edgekit.engine.forms.delta import fully_connected
from edgekit.engine.forms.delta._encode import delta_constants, deltas
from edgekit.engine.lowered import Lowered, row_shape, same_rows
from edgekit.engine.ops import _linear
from edgekit.engine.options import EngineOptions, Optimize
from edgekit.tflite.graph import Graph, Op


def candidates(graph: Graph, op: Op, options: EngineOptions) -> tuple[Lowered, ...]:
    """Lower one fully connected layer of constant weights; the portable kernels, slower by half, store less."""
    own, portable = _lowered(graph, op), fully_connected.candidates(graph, op, options)
    if own is None:
        return portable
    return (*portable, own) if options.optimize is Optimize.FLASH else (own, *portable)


def _lowered(graph: Graph, op: Op) -> Lowered | None:
    layer = _linear.linear(graph, op)
    if not _linear.is_int8_or_int4(layer):
        return None
    assert layer.weights.data is not None
    weights = layer.weights.data.reshape(layer.weights.shape[-2:]).astype(np.int8, copy=False)
    units, depth = weights.shape
    made, of_channels = deltas(weights, 8), channels(layer, weights)
    if made is None or of_channels is None or made.bytes >= weights.nbytes:
        return None
    rows, elements = row_shape(layer.output)
    vectors = elements // units
    return Lowered(
        kernel="fully_connected_gaps_s8.mac16",
        fields={
            **{name: name for name in ("weights", "gaps", "counts", "channels")},
            "to": output_fields(layer),
            "depth": depth,
            "vectors": vectors,
            "by_words": int(depth % 4 == 0 and layer.input.data is None),
        },
        constants=(*delta_constants(made, weights), of_channels),
        inputs=(op.inputs[0],),
        output=op.outputs[0],
        scratch_bytes=depth,
        rows_read=(same_rows(graph, op.inputs[0], op.outputs[0]),),
        form="delta",
        products=int(np.count_nonzero(weights)) * vectors * rows,
        entries=made.values.size * vectors * rows,
    )
