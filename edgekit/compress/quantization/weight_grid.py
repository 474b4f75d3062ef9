"""The integer grids that weights are rounded to, as the converter and the 4-bit rewriting lay them."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import Any

import keras
import numpy as np
from numpy.typing import NDArray

_TRANSPOSED = (keras.layers.Conv1DTranspose, keras.layers.Conv2DTranspose, keras.layers.Conv3DTranspose)
_DEPTHWISE = (keras.layers.DepthwiseConv1D, keras.layers.DepthwiseConv2D)
_SEPARABLE = (keras.layers.SeparableConv1D, keras.layers.SeparableConv2D)
_CONVOLUTIONS = (keras.layers.Conv1D, keras.layers.Conv2D, keras.layers.Conv3D)
# What kernels of TFLM run with 4 bits.
_FOUR_BITS = (keras.layers.Dense, keras.layers.Conv1D, keras.layers.Conv2D, *_DEPTHWISE, *_SEPARABLE)
# A kernel with more zeros than this share was pruned.
_PRUNED = 0.05
# Steps that are tried for few bits, as a share of the one that reaches the largest weight.
_CLIPPINGS = (0.95, 0.9, 0.85, 0.8, 0.75, 0.7, 0.65, 0.6, 0.55, 0.5)


@dataclass(frozen=True, slots=True, eq=False)
class Grid:
    """The grid of one kernel.

    Attributes:
        kernel: the variable.
        bits: 8 or 4.
        axes: of the kernel; the weights along them share a step.
        mask: 0 where a weight stays zero, else 1; None where any may move.
    """

    kernel: Any
    bits: int
    axes: tuple[int, ...]
    mask: NDArray[np.float32] | None = None

    def step(self, kernel: Any) -> Any:
        """Return the grid's step for a value of the kernel, with the kernel's rank.

        With 8 bits the grid reaches the largest weight; with 4 it is that of the least squared error.
        """
        ops = keras.ops
        largest = ops.max(ops.abs(kernel), axis=self.axes, keepdims=True)
        full = ops.where(largest > 0, largest / self._most, 1.0)
        if self.bits == 8:
            return full
        best, least = full, self._error(kernel, full)
        for share in _CLIPPINGS:
            error = self._error(kernel, full * share)
            best = ops.where(error < least, full * share, best)
            least = ops.minimum(error, least)
        return best

    def snapped(self, kernel: Any, step: Any = None) -> Any:
        """Return a value of the kernel rounded to the grid that fits it: symmetric, without the lowest integer."""
        kernel = kernel if self.mask is None else kernel * self.mask
        step = self.step(kernel) if step is None else step
        return keras.ops.clip(keras.ops.round(kernel / step), -self._most, self._most) * step

    @property
    def _most(self) -> float:
        return 2.0 ** (self.bits - 1) - 1

    def _error(self, kernel: Any, step: Any) -> Any:
        return keras.ops.sum(keras.ops.square(self.snapped(kernel, step) - kernel), axis=self.axes, keepdims=True)

    def bake(self) -> None:
        """Round the kernel itself."""
        self.kernel.assign(self.snapped(keras.ops.convert_to_tensor(self.kernel)))


def can_have_four_bits(layer: Any) -> bool:
    """Say whether kernels with 4-bit weights exist for a layer."""
    return isinstance(layer, _FOUR_BITS) and not isinstance(layer, _TRANSPOSED)


def grids(layer: Any, bits: int, *, per_channel: bool = True) -> tuple[Grid, ...]:
    """Return the grids of a layer's kernels; none for layers that are no Dense or convolution.

    Args:
        layer: any layer.
        bits: 8 or 4.
        per_channel: a step for each output channel. A Dense layer with 4 bits has one step in all the same: TFLM has
            no kernel for several.
    """
    found: list[tuple[Any, tuple[int, ...]]] = []
    if isinstance(layer, _TRANSPOSED):
        found = [(layer.kernel, (-2,))]
    elif isinstance(layer, _DEPTHWISE):
        found = [(layer.kernel, (-2, -1))]
    elif isinstance(layer, _SEPARABLE):
        found = [(layer.depthwise_kernel, (-2, -1)), (layer.pointwise_kernel, (-1,))]
    elif isinstance(layer, keras.layers.Dense):
        found = [(layer.kernel, () if bits == 4 else (-1,))]
    elif isinstance(layer, _CONVOLUTIONS):
        found = [(layer.kernel, (-1,))]
    made = []
    for kernel, channels in found:
        rank = len(kernel.shape)
        own = {axis % rank for axis in channels} if per_channel else set()
        made.append(Grid(kernel, bits, tuple(axis for axis in range(rank) if axis not in own)))
    return tuple(made)


def with_zeros_kept(grid: Grid) -> Grid:
    """Return a grid that keeps the zeros of a pruned kernel; one with few zeros was not pruned, and comes back."""
    mask = (grid.kernel.numpy() != 0).astype(np.float32)
    return grid if mask.mean() > 1 - _PRUNED else dataclasses.replace(grid, mask=mask)
