"""Products of matrices that may both be computed."""

from __future__ import annotations

import numpy as np
from ai_edge_litert import schema_py_generated as schema
from flatbuffers_by_hand import ModelByHand

from cases._random import ACTIVATIONS, random_scale, random_zero_point


def batch_matmul(rng: np.random.Generator) -> bytes:
    """Two computed matrices of one rank, each transposed or not."""
    batches = tuple(int(value) for value in rng.integers(1, 4, int(rng.integers(0, 4))))
    return _batch_matmul(rng, batches, batches)


def batch_matmul__broadcast(rng: np.random.Generator) -> bytes:
    """Batches of size 1 and missing ones are repeated."""
    batches = tuple(int(value) for value in rng.integers(1, 4, int(rng.integers(1, 4))))
    fewer = tuple(1 if rng.integers(0, 2) else size for size in batches)[int(rng.integers(0, len(batches) + 1)) :]
    return _batch_matmul(rng, *((batches, fewer) if rng.integers(0, 2) else (fewer, batches)))


def batch_matmul__constant(rng: np.random.Generator) -> bytes:
    """The left or the right operand is a constant."""
    return _batch_matmul(rng, (2, 3), (2, 3), constant=int(rng.integers(0, 2)))


def batch_matmul__int16(rng: np.random.Generator) -> bytes:
    """Operands of 16 bits."""
    batches = tuple(int(value) for value in rng.integers(1, 4, int(rng.integers(0, 3))))
    return _batch_matmul(rng, batches, batches, dtype="int16")


def _batch_matmul(
    rng: np.random.Generator,
    left_batches: tuple[int, ...],
    right_batches: tuple[int, ...],
    *,
    constant: int | None = None,
    dtype: str = "int8",
) -> bytes:
    model, options = ModelByHand(), schema.BatchMatMulOptionsT()
    rows, depth, columns = (int(value) for value in rng.integers(1, 12, 3))
    options.adjX, options.adjY = (bool(value) for value in rng.integers(0, 2, 2))
    shapes = [
        (*left_batches, *((depth, rows) if options.adjX else (rows, depth))),
        (*right_batches, *((columns, depth) if options.adjY else (depth, columns))),
    ]
    is_small = dtype == "int8"
    scales = [random_scale(rng) if is_small else random_scale(rng) / 256 for _ in shapes]
    operands = [
        model.tensor(
            shape,
            scale,
            random_zero_point(rng) if is_small else 0,
            dtype=dtype,
            data=rng.integers(-127, 128, shape).astype(dtype) if place == constant else None,
        )
        for place, (shape, scale) in enumerate(zip(shapes, scales, strict=True))
    ]
    batches = np.broadcast_shapes(left_batches, right_batches)
    scale = scales[0] * scales[1] * float(np.sqrt(depth)) * (128 if is_small else 16384)
    output = model.tensor((*batches, rows, columns), scale, random_zero_point(rng) if is_small else 0, dtype=dtype)
    inputs = [operand for place, operand in enumerate(operands) if place != constant]
    return model.pack("BATCH_MATMUL", operands, output, options, inputs)


def fully_connected__computed_weights(rng: np.random.Generator) -> bytes:
    """Weights that are an input of the model, with a bias or none."""
    return _fully_connected(rng, is_computed=True)


def fully_connected__weights_with_a_zero_point(rng: np.random.Generator) -> bytes:
    """Constant weights that are not symmetric."""
    return _fully_connected(rng, is_computed=False)


def _fully_connected(rng: np.random.Generator, *, is_computed: bool) -> bytes:
    model, options = ModelByHand(), schema.FullyConnectedOptionsT()
    vectors, depth, units = (int(value) for value in rng.integers(1, 14, 3))
    scales = random_scale(rng), random_scale(rng)
    source = model.tensor((1, vectors, depth), scales[0], random_zero_point(rng))
    data = rng.integers(-128, 128, (units, depth), dtype=np.int8)
    weights = model.tensor((units, depth), scales[1], random_zero_point(rng), data=None if is_computed else data)
    bias_scale = np.float32(scales[0]) * np.float32(scales[1])
    data = rng.integers(-2000, 2001, units, dtype=np.int32)
    bias = model.tensor((units,), bias_scale, dtype="int32", data=data) if rng.integers(0, 2) else -1
    output = model.tensor((1, vectors, units), float(bias_scale) * 60 * float(np.sqrt(depth)), random_zero_point(rng))
    options.fusedActivationFunction = int(rng.choice(ACTIVATIONS))
    options.keepNumDims = True
    return model.pack(
        "FULLY_CONNECTED", [source, weights, bias], output, options, [source, weights] if is_computed else [source]
    )
