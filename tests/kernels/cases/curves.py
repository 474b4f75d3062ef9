"""Functions of one tensor, element by element."""

from __future__ import annotations

import numpy as np
from ai_edge_litert import schema_py_generated as schema
from flatbuffers_by_hand import ModelByHand

from cases._elements import Quants, unary
from cases._random import random_scale, random_zero_point

INTEGERS = ("int8", "int16", "int32")


def _to(scale: float, zero_point: int) -> Quants:
    """Any input, one output."""
    return lambda rng: (random_scale(rng), random_zero_point(rng), scale, zero_point)


def _int16_curve(rng: np.random.Generator) -> tuple[float, int, float, int]:
    """Powers of two that have a form of their own, and others."""
    scale = float(rng.choice([2**-12, 2**-11, 2**-12 * 1.0005, 2.0 ** rng.uniform(-15, -7)]))
    return scale, 0, 2**-15, 0


def _as_before(rng: np.random.Generator) -> tuple[float, int, float, int]:
    scale, zero_point = random_scale(rng), random_zero_point(rng)
    return scale, zero_point, scale, zero_point


def _int16_as_before(rng: np.random.Generator) -> tuple[float, int, float, int]:
    scale = float(2.0 ** rng.uniform(-14, -8))
    return scale, 0, scale, 0


def _leaky(rng: np.random.Generator) -> schema.LeakyReluOptionsT:
    options = schema.LeakyReluOptionsT()
    options.alpha = float(rng.choice([0.1, 0.3, 0.01, 1.7, -0.2]))
    return options


logistic = unary("LOGISTIC", "int8", quant=_to(1 / 256, -128))
logistic__int16 = unary("LOGISTIC", "int16", quant=_int16_curve)
tanh = unary("TANH", "int8", quant=_to(1 / 128, 0))
tanh__int16 = unary("TANH", "int16", quant=_int16_curve)
hard_swish = unary("HARD_SWISH", "int8", lambda _: schema.HardSwishOptionsT())
leaky_relu = unary("LEAKY_RELU", "int8", _leaky)
leaky_relu__int16 = unary("LEAKY_RELU", "int16", _leaky)
relu = unary("RELU", "int8")
relu__int16 = unary("RELU", "int16")
relu6 = unary("RELU6", "int8", quant=_as_before)
relu6__int16 = unary("RELU6", "int16", quant=_int16_as_before)
relu_n1_to_1 = unary("RELU_N1_TO_1", "int8")
relu_0_to_1 = unary("RELU_0_TO_1", "int8")
elu = unary("ELU", "int8")
abs = unary("ABS", "int8", lambda _: schema.AbsOptionsT())  # noqa: A001
abs__int16 = unary("ABS", "int16", lambda _: schema.AbsOptionsT())
rsqrt = unary("RSQRT", "int8", least=lambda zero_point: zero_point)


def quantize(rng: np.random.Generator) -> bytes:
    """From any of int8, int16 and int32 to any other, or to another scale of int8 and int16."""
    model = ModelByHand()
    pairs = [(a, b) for a in INTEGERS for b in INTEGERS if (a, b) != ("int32", "int32")]
    before, after = pairs[int(rng.integers(0, len(pairs)))]
    shape = tuple(int(size) for size in rng.choice([1, 2, 3, 7, 16], int(rng.integers(1, 5))))
    # Below one step of int32 for each of int16 or int8 nothing overflows.
    scale = random_scale(rng) * (2.0**-20 if before == "int32" else 1.0)
    zero_points = [random_zero_point(rng) if dtype == "int8" else 0 for dtype in (before, after)]
    source = model.tensor(shape, scale, zero_points[0], dtype=before)
    output = model.tensor(shape, random_scale(rng), zero_points[1], dtype=after)
    return model.pack("QUANTIZE", [source], output, schema.QuantizeOptionsT(), [source])


def cast(rng: np.random.Generator) -> bytes:
    """From bool, int8, int16 or int32 to int8, int16 or int32."""
    model = ModelByHand()
    shape = tuple(int(size) for size in rng.choice([1, 2, 3, 7, 16], int(rng.integers(1, 5))))
    before, after = str(rng.choice(["bool", *INTEGERS])), str(rng.choice(INTEGERS))
    made = [model.tensor(shape, None if dtype in ("int32", "bool") else 1.0, dtype=dtype) for dtype in (before, after)]
    return model.pack("CAST", made[:1], made[1], schema.CastOptionsT(), made[:1])
