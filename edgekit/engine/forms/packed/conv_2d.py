"""CONV_2D of packed weights. Twins: firmware/engine/conv_2d_packed_s8.h, conv_2d_<packing>_s8.h,
conv_2d_grouped_int4_s8.h."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from numpy.typing import NDArray

from edgekit.engine.forms.packed._matrix import BLOCK, PackedMatrix, packed_matrices
from edgekit.engine.forms.packed._whole import unpacked_whole
from edgekit.engine.lowered import Lowered
from edgekit.engine.ops import _linear, conv_2d
from edgekit.engine.ops._convolution import rows_read, window_fields
from edgekit.engine.ops._linear import Linear
from edgekit.engine.options import EngineOptions, Optimize
from edgekit.tflite.graph import Graph, Op

Matrices = Callable[[Linear, NDArray[Any]], Iterator[PackedMatrix]]

_TILE = 4  # a multiple of every EK_TILE_PIXELS
_MOST_PIXELS = 32  # EK_MOST_RUN_PIXELS
_PATCH_BYTES = 8192  # of longer runs than the shortest


def candidates(graph: Graph, op: Op, options: EngineOptions) -> tuple[Lowered, ...]:
    """Lower one convolution of all input channels whose accumulators `ek_scale` of requantize.h scales; of others
    those of 4 bits."""
    layer = _linear.linear(graph, op)
    if not _linear.is_int8_or_int4(layer):
        return ()
    if layer.input.shape[3] != layer.weights.shape[3] or not _linear.scales_down(layer):
        return unpacked_whole(conv_2d.lower(graph, op), {"int4": "conv_2d_grouped_int4_s8"})
    return in_runs(layer, packed_matrices, "conv_2d_{packing}_s8", 0, options)


def in_runs(layer: Linear, matrices: Matrices, kernel: str, behind: int, options: EngineOptions) -> tuple[Lowered, ...]:
    """Lower a convolution in each packing and with each run of pixels.

    Args:
        layer: of all input channels.
        matrices: packs weights of shape (output channels, depth) as the kernel reads them.
        kernel: its stem, with {packing} where that stands.
        behind: bytes of work memory behind patches and weights that may be read.
        options: what matters most.
    """
    channels, kernel_rows, kernel_columns, seen = layer.weights.shape
    assert layer.weights.data is not None
    rows, columns = layer.output.shape[1:3]
    depth = kernel_rows * kernel_columns * seen
    return tuple(
        Lowered(
            kernel=kernel.format(packing=made.packing),
            fields={
                "window": window_fields(layer, (kernel_rows, kernel_columns)),
                **made.fields,
                "output_columns": columns,
                "run_pixels": run,
            },
            constants=made.constants,
            inputs=(layer.op.inputs[0],),
            output=layer.op.outputs[0],
            scratch_bytes=(BLOCK + run) * depth + behind,
            rows_read=(rows_read(layer, kernel_rows),),
            form=made.packing,
            entries=made.weights * -(-rows * columns // run),
        )
        for made in matrices(layer, layer.weights.data.reshape(channels, depth))
        for run in runs(rows * columns, depth, options)
    )


def runs(pixels: int, depth: int, options: EngineOptions) -> list[int]:
    """Return how many pixels may share what is unpacked, whole tiles: first what suits the options best.

    Example:
        >>> [runs(49, depth, EngineOptions()) for depth in (64, 640, 5000)]
        [[32, 16, 8], [12, 8], [8]]
    """
    whole = -(-pixels // _TILE) * _TILE
    if options.optimize is Optimize.RAM:
        return [_TILE]
    affordable = min(max(2 * _TILE, _PATCH_BYTES // depth // _TILE * _TILE), _MOST_PIXELS, whole)
    return [affordable, *(run for run in (4 * _TILE, 2 * _TILE) if run < affordable)]
