"""Element by element."""

from __future__ import annotations

import numpy as np
from ai_edge_litert import schema_py_generated as schema
from flatbuffers_by_hand import ModelByHand

from cases._random import ACTIVATIONS, random_scale, random_zero_point


def add(rng: np.random.Generator) -> bytes:
    """A sum of two tensors with scales of their own; the model adds its input's two halves of one shape."""
    model = ModelByHand()
    shape = (1, *(int(value) for value in rng.integers(1, 7, 3)))
    source = model.tensor(shape, random_scale(rng), random_zero_point(rng))
    output = model.tensor(shape, random_scale(rng), random_zero_point(rng))
    options = schema.AddOptionsT()
    options.fusedActivationFunction = int(rng.choice(ACTIVATIONS))
    return model.pack("ADD", [source, source], output, options, [source])
