"""Operators that make one element of several."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from ai_edge_litert import schema_py_generated as schema
from flatbuffers_by_hand import ModelByHand

from cases._moves import Mover
from cases._random import random_scale, random_zero_point


def _reduced(rng: np.random.Generator, shape: tuple[int, ...]) -> tuple[list[int], bool, tuple[int, ...]]:
    """Random axes, some counted from the end or named twice, whether they are kept as 1, and the output's shape."""
    axes = [int(axis) for axis in rng.permutation(len(shape))[: int(rng.integers(1, len(shape) + 1))]]
    keep = bool(rng.integers(0, 2))
    kept = tuple(1 if axis in axes else size for axis, size in enumerate(shape))
    after = kept if keep else tuple(size for axis, size in enumerate(shape) if axis not in axes)
    named = [axis - len(shape) if rng.integers(0, 2) else axis for axis in axes]
    return named + named[: int(rng.integers(0, 2))], keep, after


def _sum(kind: str, dtype: str) -> Callable[[np.random.Generator], bytes]:
    def make(rng: np.random.Generator) -> bytes:
        model = ModelByHand()
        shape = tuple(int(size) for size in rng.integers(1, 6, int(rng.integers(1, 6))))
        axes, keep, after = _reduced(rng, shape)
        scale = random_scale(rng)
        zero_points = [random_zero_point(rng) if dtype == "int8" else 0 for _ in range(2)]
        source = model.tensor(shape, scale, zero_points[0], dtype=dtype)
        numbers = model.tensor((len(axes),), dtype="int32", data=np.array(axes, np.int32))
        factor = float(rng.uniform(0.3, 1.5)) * (int(np.prod(shape)) / int(np.prod(after)) if kind == "SUM" else 1)
        output = model.tensor(after, scale * factor, zero_points[1], dtype=dtype)
        options = schema.ReducerOptionsT()
        options.keepDims = keep
        return model.pack(kind, [source, numbers], output, options, [source])

    return make


mean, mean__int16 = _sum("MEAN", "int8"), _sum("MEAN", "int16")
sum, sum__int16 = _sum("SUM", "int8"), _sum("SUM", "int16")  # noqa: A001


def mean__of_image(rng: np.random.Generator) -> bytes:
    """A mean over rows and columns of up to 40 pixels each, as global pooling is."""
    model = ModelByHand()
    shape = (1, *(int(value) for value in rng.integers(1, 41, 2)), int(rng.integers(1, 9)))
    scale = random_scale(rng)
    source = model.tensor(shape, scale, random_zero_point(rng))
    axes = model.tensor((2,), dtype="int32", data=np.array([1, 2], np.int32))
    output = model.tensor((1, shape[3]), scale * float(rng.uniform(0.1, 1.5)), random_zero_point(rng))
    options = schema.ReducerOptionsT()
    options.keepDims = False
    return model.pack("MEAN", [source, axes], output, options, [source])


def _extreme(kind: str, dtype: str) -> Callable[[np.random.Generator], bytes]:
    def make(rng: np.random.Generator) -> bytes:
        made = Mover(rng, (dtype,))
        shape = made.shape()
        axes, keep, after = _reduced(rng, shape)
        options = schema.ReducerOptionsT()
        options.keepDims = keep
        source, output = made.tensor(shape), made.tensor(after)
        return made.model.pack(kind, [source, made.numbers(axes)], output, options, [source])

    return make


reduce_max, reduce_max__int16 = _extreme("REDUCE_MAX", "int8"), _extreme("REDUCE_MAX", "int16")
reduce_min, reduce_min__int16 = _extreme("REDUCE_MIN", "int8"), _extreme("REDUCE_MIN", "int16")
reduce_all, reduce_any = _extreme("REDUCE_ALL", "bool"), _extreme("REDUCE_ANY", "bool")


def _arg(kind: str) -> Callable[[np.random.Generator], bytes]:
    def make(rng: np.random.Generator) -> bytes:
        made = Mover(rng)
        shape = made.shape(1, 5)
        axis = made.axis(shape)
        options = schema.ArgMaxOptionsT() if kind == "ARG_MAX" else schema.ArgMinOptionsT()
        options.outputType = schema.TensorType.INT32
        source = made.tensor(shape)
        place = axis % len(shape)
        output = made.model.tensor(shape[:place] + shape[place + 1 :], dtype="int32")
        return made.model.pack(kind, [source, made.numbers([axis])], output, options, [source])

    return make


arg_max, arg_min = _arg("ARG_MAX"), _arg("ARG_MIN")


def cumsum(rng: np.random.Generator) -> bytes:
    """Running sums along any axis, both ways, with and without the element itself."""
    made = Mover(rng)
    shape = made.shape(1, 4, 12)
    options = schema.CumsumOptionsT()
    options.exclusive, options.reverse = bool(rng.integers(0, 2)), bool(rng.integers(0, 2))
    source = made.tensor(shape)
    output = made.model.tensor(shape, random_scale(rng), random_zero_point(rng))
    return made.model.pack("CUMSUM", [source, made.numbers(made.axis(shape))], output, options, [source])
