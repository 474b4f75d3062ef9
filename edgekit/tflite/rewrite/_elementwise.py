"""Element-wise operators of TFLite in double precision."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from ai_edge_litert import schema_py_generated as schema
from numpy.typing import NDArray

Values = NDArray[Any]
_GELU_TANH_FACTOR = math.sqrt(2 / math.pi)
_erf = np.vectorize(math.erf, otypes=[np.float64])

_UNARY: dict[str, Callable[[Values], Values]] = {
    "ABS": np.abs,
    "CEIL": np.ceil,
    "COS": np.cos,
    "DEQUANTIZE": np.asarray,
    "ELU": lambda x: np.where(x > 0, x, np.expm1(np.minimum(x, 0))),
    "EXP": np.exp,
    "FLOOR": np.floor,
    "HARD_SWISH": lambda x: x * np.clip(x + 3, 0, 6) / 6,
    "LOG": np.log,
    "LOGICAL_NOT": np.logical_not,
    "LOGISTIC": lambda x: 1 / (1 + np.exp(-x)),
    "NEG": np.negative,
    "QUANTIZE": np.asarray,
    "RELU": lambda x: np.maximum(x, 0),
    "RELU6": lambda x: np.clip(x, 0, 6),
    "RELU_0_TO_1": lambda x: np.clip(x, 0, 1),
    "RELU_N1_TO_1": lambda x: np.clip(x, -1, 1),
    "ROUND": np.rint,
    "RSQRT": lambda x: 1 / np.sqrt(x),
    "SIGN": np.sign,
    "SIN": np.sin,
    "SQRT": np.sqrt,
    "SQUARE": np.square,
    "TANH": np.tanh,
}
_BINARY: dict[str, Callable[[Values, Values], Values]] = {
    "ADD": np.add,
    "ATAN2": np.arctan2,
    "DIV": np.divide,
    "EQUAL": np.equal,
    "GREATER": np.greater,
    "GREATER_EQUAL": np.greater_equal,
    "LESS": np.less,
    "LESS_EQUAL": np.less_equal,
    "LOGICAL_AND": np.logical_and,
    "LOGICAL_OR": np.logical_or,
    "MAXIMUM": np.maximum,
    "MINIMUM": np.minimum,
    "MUL": np.multiply,
    "NOT_EQUAL": np.not_equal,
    "POW": np.power,
    "SQUARED_DIFFERENCE": lambda a, b: np.square(a - b),
    "SUB": np.subtract,
}
_TERNARY = {"SELECT": np.where, "SELECT_V2": np.where}
_WITH_OPTIONS = {"GELU", "LEAKY_RELU"}
KINDS = frozenset({*_UNARY, *_BINARY, *_TERNARY, *_WITH_OPTIONS})
"""Operators that `evaluate` knows."""

_ACTIVATIONS: dict[int, Callable[[Values], Values]] = {
    schema.ActivationFunctionType.RELU: _UNARY["RELU"],
    schema.ActivationFunctionType.RELU6: _UNARY["RELU6"],
    schema.ActivationFunctionType.RELU_N1_TO_1: _UNARY["RELU_N1_TO_1"],
    schema.ActivationFunctionType.TANH: np.tanh,
}


def evaluate(kind: str, options: Any, operands: Sequence[Values]) -> Values | None:
    """Compute an operator on real values.

    Args:
        kind: TFLite's name, one of `KINDS`.
        options: the operator's options; None where it has none.
        operands: its inputs, of shapes that broadcast.

    Returns:
        Its output; None for a fused activation that is not known.
    """
    if kind == "GELU":
        return _gelu(operands[0], approximate=bool(options.approximate))
    if kind == "LEAKY_RELU":
        return np.where(operands[0] > 0, operands[0], options.alpha * operands[0])
    functions: dict[str, Callable[..., Values]] = {**_UNARY, **_BINARY, **_TERNARY}
    values = functions[kind](*operands)
    activation = getattr(options, "fusedActivationFunction", schema.ActivationFunctionType.NONE)
    if activation == schema.ActivationFunctionType.NONE:
        return values
    return _ACTIVATIONS[activation](values) if activation in _ACTIVATIONS else None


def _gelu(x: Values, *, approximate: bool) -> Values:
    gate = np.tanh(_GELU_TANH_FACTOR * (x + 0.044715 * x**3)) if approximate else _erf(x / math.sqrt(2))
    return np.asarray(x / 2 * (1 + gate))
