"""An LSTM by hand."""

from __future__ import annotations

import numpy as np
from ai_edge_litert import schema_py_generated as schema
from flatbuffers_by_hand import ModelByHand

from cases._random import random_scale, random_zero_point


def lstm_model(rng: np.random.Generator, *, batches: int, time_major: bool, times: int | None = None) -> bytes:
    """An LSTM as Keras' is converted; its weights do not depend on the number of times, drawn where not given."""
    model, options = ModelByHand(), schema.UnidirectionalSequenceLSTMOptionsT()
    drawn, depth, units = (int(value) for value in rng.integers(1, 9, 3))
    times = drawn if times is None else times
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
