"""CONV_2D of packed weights for the vector extension. Twins: firmware/engine/conv_2d_tile_packed_s8.mve.h,
conv_2d_tile_<packing>_s8.mve.h."""

from __future__ import annotations

from edgekit.engine.forms.packed._matrix import BLOCK
from edgekit.engine.forms.packed._matrix_mve import BEHIND, packed_matrices, suits
from edgekit.engine.forms.packed.conv_2d import runs
from edgekit.engine.lowered import Lowered
from edgekit.engine.ops import _linear
from edgekit.engine.ops._convolution import rows_read, window_fields
from edgekit.engine.options import EngineOptions
from edgekit.tflite.graph import Graph, Op


def candidates(graph: Graph, op: Op, options: EngineOptions) -> tuple[Lowered, ...]:
    """Lower one convolution of all input channels, none of whose accumulators is scaled up."""
    layer = _linear.linear(graph, op)
    channels, kernel_rows, kernel_columns, seen = layer.weights.shape
    if layer.input.shape[3] != seen or not suits(layer):
        return ()
    assert layer.weights.data is not None
    rows, columns = layer.output.shape[1:3]
    depth = kernel_rows * kernel_columns * seen
    return tuple(
        Lowered(
            kernel=f"conv_2d_tile_{made.packing}_s8.mve",
            fields={
                "window": window_fields(layer, (kernel_rows, kernel_columns)),
                **made.fields,
                "output_columns": columns,
                "run_pixels": run,
            },
            constants=made.constants,
            inputs=(op.inputs[0],),
            output=op.outputs[0],
            scratch_bytes=(BLOCK + run) * depth + BEHIND,
            rows_read=(rows_read(layer, kernel_rows),),
            form=made.packing,
            entries=made.weights * -(-rows * columns // run),
        )
        for made in packed_matrices(layer, layer.weights.data.reshape(channels, depth))
        for run in runs(rows * columns, depth, options)
    )
