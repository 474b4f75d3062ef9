"""Functions of one tensor, element by element."""

from __future__ import annotations

import numpy as np
from ai_edge_litert import schema_py_generated as schema

from cases._elements import Quants, unary
from cases._random import random_scale, random_zero_point


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
relu_n1_to_1 = unary("RELU_N1_TO_1", "int8")
relu_0_to_1 = unary("RELU_0_TO_1", "int8")
elu = unary("ELU", "int8")
abs = unary("ABS", "int8", lambda _: schema.AbsOptionsT())  # noqa: A001
abs__int16 = unary("ABS", "int16", lambda _: schema.AbsOptionsT())
rsqrt = unary("RSQRT", "int8", least=lambda zero_point: zero_point)
