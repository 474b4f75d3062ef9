"""Arithmetic of two tensors, element by element."""

from __future__ import annotations

import numpy as np
from ai_edge_litert import schema_py_generated as schema
from flatbuffers_by_hand import ModelByHand

from cases import Case
from cases._elements import binary, full_range, random_quant, shapes, tensor, unary
from cases._random import ACTIVATIONS, random_scale, random_zero_point

# So few codes that many are equal.
_FEW = ((-3, 4), (-3, 4))


def _of_sum(left: float, right: float) -> float:
    return left + right


def _of_product_int8(left: float, right: float) -> float:
    return 2.0**6 * left * right


def _of_product_int16(left: float, right: float) -> float:
    return 2.0**13 * left * right


add = binary("ADD", "int8", schema.AddOptionsT, spread=_of_sum)
add__int16 = binary("ADD", "int16", schema.AddOptionsT, spread=_of_sum)
add__int32 = binary("ADD", "int32", schema.AddOptionsT)
sub = binary("SUB", "int8", schema.SubOptionsT, spread=_of_sum)
sub__int16 = binary("SUB", "int16", schema.SubOptionsT, spread=_of_sum)
sub__int32 = binary("SUB", "int32", schema.SubOptionsT)
mul = binary("MUL", "int8", schema.MulOptionsT, spread=_of_product_int8)
mul__int16 = binary("MUL", "int16", schema.MulOptionsT, spread=_of_product_int16)
mul__int32 = binary("MUL", "int32", schema.MulOptionsT)
maximum = binary("MAXIMUM", "int8", schema.MaximumMinimumOptionsT, one_scale=True)
maximum__int16 = binary("MAXIMUM", "int16", schema.MaximumMinimumOptionsT, one_scale=True)
maximum__int32 = binary("MAXIMUM", "int32", schema.MaximumMinimumOptionsT)
minimum = binary("MINIMUM", "int8", schema.MaximumMinimumOptionsT, one_scale=True)
minimum__int16 = binary("MINIMUM", "int16", schema.MaximumMinimumOptionsT, one_scale=True)
squared_difference = binary(
    "SQUARED_DIFFERENCE", "int8", schema.SquaredDifferenceOptionsT, rank=(1, 5), spread=_of_product_int8
)
squared_difference__int16 = binary(
    "SQUARED_DIFFERENCE", "int16", schema.SquaredDifferenceOptionsT, rank=(1, 5), spread=_of_product_int16
)
squared_difference__int32 = binary("SQUARED_DIFFERENCE", "int32", schema.SquaredDifferenceOptionsT, rank=(1, 5))
equal = binary("EQUAL", "int8", schema.EqualOptionsT, output="bool")
equal__often = binary("EQUAL", "int8", schema.EqualOptionsT, output="bool", ranges=_FEW, one_scale=True)
equal__int32 = binary("EQUAL", "int32", schema.EqualOptionsT, output="bool", ranges=_FEW)
equal__bool = binary("EQUAL", "bool", schema.EqualOptionsT, output="bool")
not_equal = binary("NOT_EQUAL", "int8", schema.NotEqualOptionsT, output="bool", one_scale=True)
not_equal__often = binary("NOT_EQUAL", "int8", schema.NotEqualOptionsT, output="bool", ranges=_FEW, one_scale=True)
not_equal__bool = binary("NOT_EQUAL", "bool", schema.NotEqualOptionsT, output="bool")
greater = binary("GREATER", "int8", schema.GreaterOptionsT, output="bool")
greater__int32 = binary("GREATER", "int32", schema.GreaterOptionsT, output="bool")
greater_equal = binary("GREATER_EQUAL", "int8", schema.GreaterEqualOptionsT, output="bool", one_scale=True)
less = binary("LESS", "int8", schema.LessOptionsT, output="bool", one_scale=True)
less__int32 = binary("LESS", "int32", schema.LessOptionsT, output="bool", ranges=_FEW)
less_equal = binary("LESS_EQUAL", "int8", schema.LessEqualOptionsT, output="bool")
less_equal__int32 = binary("LESS_EQUAL", "int32", schema.LessEqualOptionsT, output="bool", ranges=_FEW)
logical_and = binary("LOGICAL_AND", "bool", schema.LogicalAndOptionsT)
logical_or = binary("LOGICAL_OR", "bool", schema.LogicalOrOptionsT)
logical_not = unary("LOGICAL_NOT", "bool", lambda _: schema.LogicalNotOptionsT())


def prelu(rng: np.random.Generator) -> bytes:
    """Slopes for each channel, for each element, or one for all."""
    model = ModelByHand()
    shape = (1, *(int(size) for size in rng.integers(1, 5, 3)))
    slopes = (shape[1:], (1, 1, shape[3]), (1, 1, 1), (shape[1], 1, shape[3]))[int(rng.integers(0, 4))]
    source, output = tensor(model, rng, shape, "int8"), tensor(model, rng, shape, "int8")
    alpha = tensor(model, rng, slopes, "int8", full_range("int8"))
    return model.pack("PRELU", [source, alpha], output, None, [source])


def div(rng: np.random.Generator) -> Case:
    """A quotient whose divisor is never zero."""
    model, form = ModelByHand(), str(rng.choice(["plain", "broadcast", "constant"]))
    left_shape, right_shape, shape = shapes(rng, form)
    divisor_range = (-128, 5) if rng.integers(0, 2) else (7, 128)
    right_scale, output_scale = random_scale(rng), random_scale(rng)
    left_scale = float(np.float32(right_scale * output_scale * 2.0 ** rng.uniform(6, 12)))
    left = tensor(model, rng, left_shape, "int8", quant=(left_scale, random_zero_point(rng)))
    constant = divisor_range if form == "constant" else None
    right = tensor(model, rng, right_shape if constant is None else (1,), "int8", constant, quant=(right_scale, 6))
    output = tensor(model, rng, shape, "int8", quant=(output_scale, random_zero_point(rng)))
    options = schema.DivOptionsT()
    options.fusedActivationFunction = int(rng.choice(ACTIVATIONS))
    computed = [left] if constant else [left, right]
    return Case(model.pack("DIV", [left, right], output, options, computed), {1: divisor_range})


def select_v2(rng: np.random.Generator) -> bytes:
    """A choice between two int8 tensors, some of them constant or repeated."""
    return _select_v2(rng, "int8")


def select_v2__int16(rng: np.random.Generator) -> bytes:
    """The same of int16."""
    return _select_v2(rng, "int16")


def _select_v2(rng: np.random.Generator, dtype: str) -> bytes:
    model, quant = ModelByHand(), random_quant(rng, dtype)
    left_shape, right_shape, shape = shapes(rng, str(rng.choice(["plain", "broadcast"])), (1, 5))
    chosen = shape if rng.integers(0, 2) else tuple(1 if rng.integers(0, 2) else size for size in shape)
    condition = tensor(model, rng, chosen, "bool")
    left = tensor(model, rng, left_shape, dtype, quant=quant)
    constant = full_range(dtype) if rng.integers(0, 2) else None
    right = tensor(model, rng, right_shape, dtype, constant, quant=quant)
    output = tensor(model, rng, shape, dtype, quant=quant)
    computed = [condition, left] if constant else [condition, left, right]
    options = schema.SelectV2OptionsT()
    return model.pack("SELECT_V2", [condition, left, right], output, options, computed)
