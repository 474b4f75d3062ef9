"""Layers with states."""

from __future__ import annotations

import numpy as np
from ai_edge_litert import schema_py_generated as schema
from flatbuffers_by_hand import ModelByHand

from cases._lstm import lstm_model
from cases._random import random_scale, random_zero_point


def unidirectional_sequence_lstm(rng: np.random.Generator) -> bytes:
    """One sequence, as Keras' LSTM is converted."""
    return lstm_model(rng, batches=1, time_major=False)


def unidirectional_sequence_lstm__batches(rng: np.random.Generator) -> bytes:
    """Several sequences, one behind the other, or the times of all of them together."""
    return lstm_model(rng, batches=int(rng.integers(1, 4)), time_major=bool(rng.integers(0, 2)))


def svdf(rng: np.random.Generator) -> bytes:
    """One input or a few, a memory of 1 to 8."""
    model, options = ModelByHand(), schema.SVDFOptionsT()
    batches, depth, memory, units = (int(value) for value in rng.integers(1, 9, 4))
    options.rank = int(rng.integers(1, 4))
    options.fusedActivationFunction = schema.ActivationFunctionType.RELU
    filters, input_scale, state_scale = units * options.rank, random_scale(rng), 2.0**-7
    source = model.tensor((batches, depth), input_scale, random_zero_point(rng))
    # Often a quarter or a half, so that some results lie half-way between two states.
    feature_scale = float(np.float32(state_scale * 2.0 ** rng.integers(-2, 2) / input_scale / np.sqrt(depth)))
    data = rng.integers(-3, 4, (filters, depth), dtype=np.int8)
    features = model.tensor((filters, depth), feature_scale, data=data)
    data = rng.integers(-32767, 32768, (filters, memory), dtype=np.int16)
    times = model.tensor((filters, memory), 2.0**-15, dtype="int16", data=data)
    data = rng.integers(-(2**21), 2**21, units, dtype=np.int32)
    bias = model.tensor((units,), state_scale * 2.0**-15, dtype="int32", data=data)
    state = model.tensor((batches, filters * memory), state_scale, dtype="int16", is_variable=True)
    output = model.tensor((batches, units), state_scale * float(np.sqrt(options.rank * memory)), random_zero_point(rng))
    return model.pack("SVDF", [source, features, times, bias, state], output, options, [source])
