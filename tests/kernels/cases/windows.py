"""Pooling and means."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from ai_edge_litert import schema_py_generated as schema
from flatbuffers_by_hand import ModelByHand

from cases._random import output_size, random_scale, random_window, random_zero_point, set_window


def _pool(kind: str) -> Callable[[np.random.Generator], bytes]:
    def make(rng: np.random.Generator) -> bytes:
        model, window = ModelByHand(), random_window(rng, dilated=False)
        channels, scale, zero_point = int(rng.integers(1, 9)), random_scale(rng), random_zero_point(rng)
        source = model.tensor((1, *map(int, window["size"]), channels), scale, zero_point)
        output = model.tensor((1, output_size(window, 0), output_size(window, 1), channels), scale, zero_point)
        options = schema.Pool2DOptionsT()
        set_window(options, window, rng)
        options.filterHeight, options.filterWidth = (int(value) for value in window["kernel"])
        return model.pack(kind, [source], output, options, [source])

    return make


def mean(rng: np.random.Generator) -> bytes:
    """A mean over rows and columns with another scale behind it."""
    model = ModelByHand()
    shape = (1, *(int(value) for value in rng.integers(1, 9, 3)))
    scale = random_scale(rng)
    source = model.tensor(shape, scale, random_zero_point(rng))
    axes = model.tensor((2,), dtype="int32", data=np.array([1, 2], np.int32))
    output = model.tensor((1, shape[3]), scale * float(rng.uniform(0.3, 1.5)), random_zero_point(rng))
    options = schema.ReducerOptionsT()
    options.keepDims = False
    return model.pack("MEAN", [source, axes], output, options, [source])


average_pool_2d = _pool("AVERAGE_POOL_2D")
max_pool_2d = _pool("MAX_POOL_2D")
