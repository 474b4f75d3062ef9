"""CONV_2D without the zeros. Twins: firmware/engine/conv_2d_delta_s8.h, conv_2d_delta_4_s8.h."""

from __future__ import annotations

from edgekit.engine.forms.delta._encode import delta_matrices
from edgekit.engine.lowered import Lowered
from edgekit.engine.ops import _linear
from edgekit.engine.ops._convolution import rows_read, window_fields
from edgekit.engine.options import EngineOptions
from edgekit.tflite.graph import Graph, Op

_KERNELS = {8: "conv_2d_delta_s8", 4: "conv_2d_delta_4_s8"}
_PIXELS = 4  # EK_DELTA_PIXELS of firmware/engine/delta_tile_s8.h


def candidates(graph: Graph, op: Op, options: EngineOptions) -> tuple[Lowered, ...]:
    """Lower one convolution of all input channels; the pixels of a tile share each weight that is taken up."""
    layer = _linear.linear(graph, op)
    channels, kernel_rows, kernel_columns, seen = layer.weights.shape
    if layer.input.shape[3] != seen or not _linear.is_int8_or_int4(layer):
        return ()
    assert layer.weights.data is not None
    rows, columns = layer.output.shape[1:3]
    depth = kernel_rows * kernel_columns * seen
    return tuple(
        Lowered(
            kernel=_KERNELS[made.gap_bits],
            fields={
                "window": window_fields(layer, (kernel_rows, kernel_columns)),
                "delta": made.fields,
                "output_columns": columns,
            },
            constants=made.constants,
            inputs=(op.inputs[0],),
            output=op.outputs[0],
            scratch_bytes=_PIXELS * depth,
            rows_read=(rows_read(layer, kernel_rows),),
            form="delta",
            products=made.products * rows * columns,
            entries=made.entries * taken_up(rows * columns),
        )
        for made in delta_matrices(layer, layer.weights.data.reshape(channels, depth), options)
    )


def taken_up(pixels: int) -> int:
    """Return how often a weight is taken up for so many pixels, if they are computed at once.

    Example:
        >>> [taken_up(pixels) for pixels in (1, 2, 3, 4, 9)]
        [1, 2, 1, 1, 3]
    """
    tiles, rest = divmod(pixels, _PIXELS)
    return tiles + (rest if rest <= _PIXELS // 2 else 1)
