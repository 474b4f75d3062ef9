"""Layers with states."""

from __future__ import annotations

import numpy as np
from ai_edge_litert import schema_py_generated as schema
from flatbuffers_by_hand import ModelByHand

from cases._random import random_scale, random_zero_point


def unidirectional_sequence_lstm(rng: np.random.Generator) -> bytes:
    """One sequence, as Keras' LSTM is converted."""
    return _lstm(rng, batches=1, time_major=False)


def unidirectional_sequence_lstm__batches(rng: np.random.Generator) -> bytes:
    """Several sequences, one behind the other, or the times of all of them together."""
    return _lstm(rng, batches=int(rng.integers(1, 4)), time_major=bool(rng.integers(0, 2)))


def _lstm(rng: np.random.Generator, *, batches: int, time_major: bool) -> bytes:
    model, options = ModelByHand(), schema.UnidirectionalSequenceLSTMOptionsT()
    times, depth, units = (int(value) for value in rng.integers(1, 9, 3))
    options.fusedActivationFunction = schema.ActivationFunctionType.TANH
    options.cellClip = float(rng.choice([0.0, 0.0, 1.0, 10.0]))
    options.timeMajor = time_major
    input_scale, hidden_scale, hidden_zero_point = random_scale(rng), float(rng.uniform(0.005, 0.008)), -3
    leading = (times, batches) if time_major else (batches, times)
    source = model.tensor((*leading, depth), input_scale, random_zero_point(rng))

    def weights(columns: int, source_scale: float) -> list[int]:
        scales = rng.uniform(0.2, 1.5, 4) / (source_scale * 5000 * np.sqrt(columns))
        data = rng.integers(-127, 128, (4, units, columns), dtype=np.int8)
        return [
            model.tensor((units, columns), float(scale), data=gate) for scale, gate in zip(scales, data, strict=True)
        ]

    def bias() -> int:
        return model.tensor((units,), dtype="int32", data=rng.integers(-2000, 2001, units, dtype=np.int32))

    inputs = [source, *weights(depth, input_scale), *weights(units, hidden_scale), -1, -1, -1]
    inputs += [bias() for _ in range(4)] + [-1, -1]
    hidden = model.tensor((batches, units), hidden_scale, hidden_zero_point, is_variable=True)
    cell = model.tensor((batches, units), float(2.0 ** rng.integers(-15, -9)), dtype="int16", is_variable=True)
    output = model.tensor((*leading, units), hidden_scale, hidden_zero_point)
    # As the converter writes them: without layer normalization only the last has a meaning, and only for LiteRT.
    model.intermediates = [model.tensor((0,), dtype="float32") for _ in range(4)]
    model.intermediates.append(model.tensor((0,), hidden_scale, hidden_zero_point))
    return model.pack("UNIDIRECTIONAL_SEQUENCE_LSTM", [*inputs, hidden, cell, *[-1] * 4], output, options, [source])


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
