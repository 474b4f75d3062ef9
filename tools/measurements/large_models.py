"""The large models of which most weights are zero, by seed: a layer of a million weights, and VGG-16."""

from __future__ import annotations

import sys
from collections.abc import Iterator

import numpy as np
from cells import REPOSITORY
from numpy.typing import NDArray

sys.path.insert(0, str(REPOSITORY / "tools" / "techniques"))
from _network_file import int8_network, pruned

SPARSITY, UNITS = 0.9, 1000
# Of each block of VGG-16: output channels, convolutions. A pool ends each.
_BLOCKS = ((64, 2), (128, 2), (256, 3), (512, 3), (512, 3))
_POOLED = 7
# Sums of squared weights that keep the activations as large as they are: of inputs from the whole of int8, of what a
# ReLU leaves, and of the largest of four of these.
_AT_FIRST, _BEHIND_RELU, _BEHIND_POOL = 0.3, 2.0, 0.9


def dense_1000() -> bytes:
    """Return a fully connected layer of 1000 x 1000 weights, nine tenths of them zero."""
    rng = np.random.default_rng(1000)
    return int8_network([("units", _kernel(rng, (UNITS, UNITS), _AT_FIRST))], (1, UNITS))


def vgg16() -> bytes:
    """Return VGG-16 for images of 224 x 224 pixels, nine tenths of the weights of each layer zero."""
    return int8_network(_vgg16())


def _vgg16() -> Iterator[tuple[str, NDArray[np.float32]]]:
    """Yield (layer, kernel), named as keras.applications does."""
    rng = np.random.default_rng(16)
    before, gain = 3, _AT_FIRST
    for block, (channels, convolutions) in enumerate(_BLOCKS, 1):
        for number in range(1, convolutions + 1):
            yield f"block{block}_conv{number}", _kernel(rng, (3, 3, before, channels), gain)
            before, gain = channels, _BEHIND_RELU
        gain = _BEHIND_POOL
    before *= _POOLED * _POOLED
    for name, units in (("fc1", 4096), ("fc2", 4096), ("predictions", 1000)):
        yield name, _kernel(rng, (before, units), gain)
        before, gain = units, _BEHIND_RELU


def _kernel(rng: np.random.Generator, shape: tuple[int, ...], gain: float) -> NDArray[np.float32]:
    """Random weights, pruned; the squares of an output's weights add up to about `gain`."""
    kernel = pruned(rng.standard_normal(shape, np.float32), SPARSITY)
    # One after another: a kernel of VGG-16 has 400 MB.
    power = float(np.vdot(kernel, kernel)) / shape[-1]
    kernel *= np.float32((gain / power) ** 0.5)
    return kernel
