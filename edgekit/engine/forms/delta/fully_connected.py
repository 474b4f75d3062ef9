"""FULLY_CONNECTED without the zeros. Twins: firmware/engine/fully_connected_delta_s8.h,
fully_connected_delta_4_s8.h."""

from __future__ import annotations

from edgekit.engine.forms.delta._encode import delta_matrices
from edgekit.engine.lowered import Lowered, row_shape, same_rows
from edgekit.engine.ops import _linear
from edgekit.engine.options import EngineOptions
from edgekit.tflite.graph import Graph, Op

_KERNELS = {8: "fully_connected_delta_s8", 4: "fully_connected_delta_4_s8"}


def candidates(graph: Graph, op: Op, options: EngineOptions) -> tuple[Lowered, ...]:
    """Lower one fully connected layer of constant weights; the weights are taken up anew for each vector."""
    layer = _linear.linear(graph, op)
    if not _linear.is_int8_or_int4(layer):
        return ()
    assert layer.weights.data is not None
    weights = layer.weights.data.reshape(layer.weights.shape[-2:])
    rows, elements = row_shape(layer.output)
    vectors = elements // weights.shape[0]
    return tuple(
        Lowered(
            kernel=_KERNELS[made.gap_bits],
            fields={"delta": made.fields, "vectors": vectors},
            constants=made.constants,
            inputs=(op.inputs[0],),
            output=op.outputs[0],
            rows_read=(same_rows(graph, op.inputs[0], op.outputs[0]),),
            form="delta",
            products=made.products * vectors * rows,
            entries=made.entries * vectors * rows,
        )
        for made in delta_matrices(layer, weights, options)
    )
