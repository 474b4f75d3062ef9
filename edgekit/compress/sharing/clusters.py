"""Weights that take few values: k-means of each kernel, and a constraint that keeps them together in training."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import keras
import numpy as np
from numpy.typing import NDArray

from edgekit.compress.layers.kernels import Kernel, kernels_of
from edgekit.errors import ModelError, UntrustworthyError

# A kernel in which this share of the weights is zero was pruned: its zeros stay.
_SPARSE = 0.05
# Fewer weights for each value are not worth a table.
_WEIGHTS_PER_VALUE = 8
_BINS = 1024
_ROUNDS = 100
_TRANSPOSED = (keras.layers.Conv1DTranspose, keras.layers.Conv2DTranspose, keras.layers.Conv3DTranspose)

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class ClusteredKernel:
    """One weight variable, and which of its weights are one value.

    Attributes:
        kernel: the weights.
        groups: int32, the weights' shape: number of the value; each channel has numbers of its own.
        zero_groups: bool; True for the number of a value that is held at zero.
        channels: how many parts with values of their own.
        before: different values before, the most in a channel.
        previous: the constraint that the layer brought.
    """

    kernel: Kernel
    groups: keras.Variable
    zero_groups: NDArray[np.bool_]
    channels: int
    before: int
    previous: Any

    @property
    def values(self) -> int:
        """Different values now, the most in a channel."""
        weights = keras.ops.convert_to_numpy(self.kernel.variable)
        return most_values(by_channel(weights, self.kernel, per_channel=self.channels > 1))


class _Together(keras.constraints.Constraint):  # type: ignore[misc]  # Keras has no types
    """Sets the weights of each group to their mean: what the optimizer did to one, it did to all."""

    def __init__(self, groups: keras.Variable, zero_groups: NDArray[np.bool_], previous: Any) -> None:
        sizes = np.bincount(keras.ops.convert_to_numpy(groups).reshape(-1), minlength=len(zero_groups))
        self.groups, self.previous = groups, previous
        self.shares = np.where(zero_groups, 0, 1 / np.maximum(sizes, 1)).astype(np.float32)

    def __call__(self, w: Any) -> Any:
        values = w if self.previous is None else self.previous(w)
        groups = keras.ops.reshape(self.groups, (-1,))
        sums = keras.ops.segment_sum(keras.ops.reshape(values, (-1,)), groups, num_segments=len(self.shares))
        means = sums * keras.ops.cast(self.shares, values.dtype)
        return keras.ops.reshape(keras.ops.take(means, groups), keras.ops.shape(values))


class Clusters:
    """The clustered kernels of a model, attached on creation.

    Args:
        model: a built model; its kernels get few values, and constraints until `strip`.
        clusters: values of a kernel, or of each of its channels.
        per_channel: each output channel has values of its own.
        depthwise: cluster depthwise kernels too.
        leave_out: names of layers to leave alone.

    Raises:
        UnknownNameError: `leave_out` names a layer that is not there.
        ModelError: no kernel is left to cluster.

    Attributes:
        kernels: what is clustered, in the model's order.
        skipped: (layer, reason) of each kernel that is not.
    """

    def __init__(
        self, model: keras.Model, clusters: int, *, per_channel: bool, depthwise: bool, leave_out: tuple[str, ...]
    ) -> None:
        kernels: list[ClusteredKernel] = []
        skipped: list[tuple[str, str]] = []
        for kernel in kernels_of(model, leave_out):
            rows = by_channel(keras.ops.convert_to_numpy(kernel.variable), kernel, per_channel=per_channel)
            reason = kernel.reason
            if reason is None and kernel.is_depthwise and not depthwise:
                reason = "a depthwise kernel has few weights, and each one counts"
            if reason is None and rows.shape[1] < _WEIGHTS_PER_VALUE * clusters:
                reason = f"{rows.shape[1]:,} weights are too few for {clusters} values"
            if reason is None:
                kernels.append(_attach(kernel, rows, clusters))
            else:
                skipped.append((kernel.name, reason))
        if not kernels:
            raise ModelError(
                f"no layer of model {model.name!r} has a kernel that may be clustered into {clusters} values",
                hint="it needs a Conv or Dense layer of more weights; fewer clusters need fewer of them",
            )
        self.kernels, self.skipped = tuple(kernels), tuple(skipped)
        self._clusters = clusters

    def verify(self) -> None:
        """Check that no kernel has more values than were asked for.

        Raises:
            UntrustworthyError: training went past the constraints.
        """
        for clustered in self.kernels:
            if clustered.values > self._clusters:
                raise UntrustworthyError(
                    f"{clustered.kernel.name}: {clustered.values} values after training, expected {self._clusters}",
                    hint="the training step goes past weight constraints: a train_step of your own must apply "
                    "variable.constraint after each update",
                )

    def strip(self) -> None:
        """Give the kernels back the constraints that their layers brought."""
        for clustered in self.kernels:
            clustered.kernel.variable.constraint = clustered.previous


def by_channel(weights: NDArray[Any], kernel: Kernel, *, per_channel: bool) -> NDArray[Any]:
    """Return weights as (channels, weights of a channel), the output channels as the converter counts them."""
    if not per_channel:
        return weights.reshape(1, -1)
    if isinstance(kernel.layer, _TRANSPOSED):
        weights = np.moveaxis(weights, -2, -1)
    channels = weights.shape[-2] * weights.shape[-1] if kernel.is_depthwise else weights.shape[-1]
    return weights.reshape(-1, channels).T


def most_values(rows: NDArray[Any]) -> int:
    """Return the number of different values of the row with the most."""
    return max(len(np.unique(row)) for row in rows)


def k_means(values: Floats, clusters: int) -> Floats:
    """Return the rising centers of one-dimensional k-means, at most `clusters` of them.

    The start follows the density of the values to the power of one third, which is best for many centers.

    Args:
        values: any order, at least one.
        clusters: how many centers, at least 1.

    Example:
        >>> k_means(np.array([0.0, 0.1, 5.0, 5.2]), 2).round(2).tolist()
        [0.05, 5.1]

    Source:
        Lloyd 1982, "Least squares quantization in PCM"; Panter and Dite 1951 for the start.
    """
    rising = np.sort(values)
    distinct = np.unique(rising)
    if len(distinct) <= clusters:
        return distinct
    sums = np.concatenate([[0.0], np.cumsum(rising)])
    centers = _start(rising, clusters)
    for _ in range(_ROUNDS):
        ends = np.searchsorted(rising, (centers[:-1] + centers[1:]) / 2)
        edges = np.concatenate([[0], ends, [len(rising)]])
        sizes = np.diff(edges)
        moved = np.unique(np.diff(sums[edges])[sizes > 0] / sizes[sizes > 0])
        if len(moved) == len(centers) and np.allclose(moved, centers, rtol=0, atol=1e-9):
            break
        centers = moved
    return centers


def _start(rising: Floats, clusters: int) -> Floats:
    counts, edges = np.histogram(rising, bins=_BINS)
    density = np.cumsum(np.cbrt(counts))
    places = (np.arange(clusters) + 0.5) / clusters * density[-1]
    return np.unique(edges[np.searchsorted(density, places)] + (edges[1] - edges[0]) / 2)


def _attach(kernel: Kernel, rows: NDArray[Any], clusters: int) -> ClusteredKernel:
    """Cluster a kernel and hold its weights together."""
    before, groups = most_values(rows), np.empty(rows.shape, np.int32)
    zero_groups: list[bool] = []
    clustered = np.empty_like(rows)
    for channel, row in enumerate(rows):
        kept = row != 0
        is_sparse = bool((~kept).mean() >= _SPARSE and kept.any())
        sample = row[kept] if is_sparse else row
        centers = k_means(sample.astype(np.float64), clusters - is_sparse)
        nearest = np.searchsorted((centers[:-1] + centers[1:]) / 2, row)
        number = np.where(kept, nearest + 1, 0) if is_sparse else nearest
        table = np.concatenate([[0.0], centers]) if is_sparse else centers
        clustered[channel] = table[number]
        groups[channel] = number + len(zero_groups)
        zero_groups += [is_sparse and place == 0 for place in range(len(table))]
    shape, is_whole = kernel.variable.shape, len(rows) == 1
    order = groups.reshape(shape) if is_whole else _from_channels(groups, kernel, shape)
    variable, previous = kernel.variable, kernel.variable.constraint
    variable.assign(clustered.reshape(shape) if is_whole else _from_channels(clustered, kernel, shape))
    held = keras.Variable(order, dtype="int32", trainable=False, name=f"{kernel.variable.name}_groups")
    zeros = np.array(zero_groups)
    variable.constraint = _Together(held, zeros, previous)
    return ClusteredKernel(kernel, held, zeros, len(rows), before, previous)


def _from_channels(rows: NDArray[Any], kernel: Kernel, shape: tuple[int, ...]) -> NDArray[Any]:
    """Undo `by_channel`."""
    if isinstance(kernel.layer, _TRANSPOSED):
        turned = (*shape[:-2], shape[-1], shape[-2])
        return np.moveaxis(rows.T.reshape(turned), -1, -2)
    return rows.T.reshape(shape)
