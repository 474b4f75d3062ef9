"""Pooling."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from ai_edge_litert import schema_py_generated as schema
from flatbuffers_by_hand import ModelByHand

from cases._random import output_size, random_scale, random_window, random_zero_point, set_window


def _pool(kind: str, dtype: str = "int8") -> Callable[[np.random.Generator], bytes]:
    def make(rng: np.random.Generator) -> bytes:
        model, window = ModelByHand(), random_window(rng, dilated=False)
        channels, scale, zero_point = int(rng.integers(1, 9)), random_scale(rng), random_zero_point(rng)
        zero_point = zero_point if dtype == "int8" else 0
        source = model.tensor((1, *map(int, window["size"]), channels), scale, zero_point, dtype=dtype)
        output = model.tensor(
            (1, output_size(window, 0), output_size(window, 1), channels), scale, zero_point, dtype=dtype
        )
        options = schema.Pool2DOptionsT()
        set_window(options, window, rng)
        options.filterHeight, options.filterWidth = (int(value) for value in window["kernel"])
        return model.pack(kind, [source], output, options, [source])

    return make


average_pool_2d, average_pool_2d__int16 = _pool("AVERAGE_POOL_2D"), _pool("AVERAGE_POOL_2D", "int16")
max_pool_2d, max_pool_2d__int16 = _pool("MAX_POOL_2D"), _pool("MAX_POOL_2D", "int16")
