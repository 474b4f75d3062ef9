"""Operators that move or rename what they get."""

from __future__ import annotations

import numpy as np
from ai_edge_litert import schema_py_generated as schema
from flatbuffers_by_hand import ModelByHand

from cases._random import random_scale, random_zero_point


def reshape(rng: np.random.Generator) -> bytes:
    """A reshape alone: the output is the input."""
    model = ModelByHand()
    shape = (1, *(int(value) for value in rng.integers(1, 6, 3)))
    scale, zero_point = random_scale(rng), random_zero_point(rng)
    flat = (1, shape[1] * shape[2] * shape[3])
    source = model.tensor(shape, scale, zero_point)
    target = model.tensor((2,), dtype="int32", data=np.array(flat, np.int32))
    output = model.tensor(flat, scale, zero_point)
    return model.pack("RESHAPE", [source, target], output, schema.ReshapeOptionsT(), [source])
