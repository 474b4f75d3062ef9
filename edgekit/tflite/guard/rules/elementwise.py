"""Operators that compute each element alone, of one or several tensors."""

from __future__ import annotations

import math

from edgekit.tflite.guard.operators import QUANTIZED, Operator
from edgekit.tflite.guard.rules._shapes import broadcast
from edgekit.tflite.guard.tensors import Operand

_FLOATS = ("float32", "float16", "bfloat16", "float64")
_INTEGERS = ("int8", "uint8", "int16", "int32", "int64", "uint32", "uint16")
# Ratios this near to 1 are rounded to it.
_ONE = 1 - 1e-6
_REAL = (*_FLOATS, *sorted(QUANTIZED))


def _same(op: Operator, *dtypes: str) -> None:
    op.count(1)
    source = op.input(0)
    op.one_of(source, *dtypes)
    op.same_type(source, op.output)
    op.shape(op.output, source.shape)


def _number(op: Operator) -> None:
    _same(op, *_FLOATS, *_INTEGERS)
    op.scaled(op.input(0), op.output)


def _real(op: Operator) -> None:
    _same(op, *_REAL)
    op.scaled(op.input(0), op.output)


def _logical_not(op: Operator) -> None:
    _same(op, "bool")


def _zeros_like(op: Operator) -> None:
    _same(op, *_FLOATS, *_INTEGERS, "bool")


def _leaky_relu(op: Operator) -> None:
    _real(op)
    alpha = op.option("alpha")
    op.require(math.isfinite(alpha), "alpha", f"is {alpha}, expected a finite number")


def _normalization(op: Operator) -> None:
    """Along the last dimension."""
    _real(op)
    op.rank(op.input(0), 1, 8)


def _softmax(op: Operator) -> None:
    op.count(1)
    source = op.input(0)
    op.one_of(source, *_REAL)
    # int8 logits may give probabilities of 16 bits.
    op.one_of(op.output, source.dtype, *(("int16",) if source.dtype in ("int8", "uint8") else ()))
    op.shape(op.output, source.shape)
    op.rank(source, 1, 8)
    op.scaled(source, op.output)
    beta = op.option("beta")
    op.require(math.isfinite(beta) and 0 < beta < 1e6, "beta", f"is {beta}, expected a finite number above 0")
    if source.dtype in ("int8", "uint8"):
        # The kernels' fixed point number of 5 integer bits.
        step = beta * float(source.scales[0]) * 2**26
        op.require(step > 1.001, "beta", f"is {beta:g} with a scale of {source.scales[0]:g}: all logits are the same")


def _l2_normalization(op: Operator) -> None:
    _normalization(op)
    op.activation()


def _cast(op: Operator) -> None:
    op.count(1)
    op.one_of(op.input(0), *_FLOATS, *_INTEGERS, "bool", "uint64", "int4")
    op.one_of(op.output, *_FLOATS, *_INTEGERS, "bool", "uint64", "int4")
    op.shape(op.output, op.input(0).shape)


def _quantize(op: Operator) -> None:
    op.count(1)
    source = op.input(0)
    op.one_of(source, *_FLOATS, "int8", "uint8", "int16", "int32")
    op.one_of(op.output, "int8", "uint8", "int16", "int32", "int4")
    op.shape(op.output, source.shape)
    op.scaled(source)
    for operand in (source, op.output):
        if operand.dtype not in _FLOATS:
            op.require(len(operand.scales) >= 1, "quantization.scale", f"of {operand.where} is missing")


def _dequantize(op: Operator) -> None:
    op.count(1)
    source = op.input(0)
    op.one_of(source, "int8", "uint8", "int16", "int32", "int4", "float16")
    op.one_of(op.output, "float32", "float16", "bfloat16")
    op.shape(op.output, source.shape)
    if source.dtype != "float16":
        op.require(len(source.scales) >= 1, "quantization.scale", f"of {source.where} is missing")


def _pair(op: Operator, *dtypes: str) -> None:
    op.count(2)
    first, second = op.input(0), op.input(1)
    op.one_of(first, *dtypes)
    op.same_type(first, second)
    op.scaled(first, second)
    op.shape(op.output, broadcast(op, first, second))


def _arithmetic(op: Operator) -> None:
    _pair(op, *_FLOATS, *_INTEGERS)
    op.same_type(op.input(0), op.output)
    op.scaled(op.output)


def _with_activation(op: Operator) -> None:
    _arithmetic(op)
    op.activation()
    if op.kind != "MUL":
        sum_fits(op, op.input(0), op.input(1))


def sum_fits(op: Operator, *terms: Operand) -> None:
    """Kernels add at twice the largest scale, 20 bits (int16: 15) finer, and shift right to the output's scale."""
    if op.output.dtype not in QUANTIZED:
        return
    largest = max(float(term.scales[0]) for term in terms)
    finer = 2.0 ** (15 if op.output.dtype == "int16" else 20)
    ratio = 2 * largest / (finer * float(op.output.scales[0]))
    smallest = min(float(term.scales[0]) for term in terms) / (2 * largest)
    op.require(
        0 < ratio < _ONE and smallest > 0,
        "quantization.scale",
        f"of {op.output.where} is {op.output.scales[0]:g} for terms of up to {largest:g}, expected no such distance",
    )


def _squared_difference(op: Operator) -> None:
    _arithmetic(op)
    if op.output.dtype in QUANTIZED:
        scales = [float(op.input(position).scales[0]) for position in (0, 1)]
        op.require(min(scales) / max(scales) > 0, "quantization.scale", f"are {scales}, expected no such distance")


def _division(op: Operator) -> None:
    """Whole numbers by a constant 0 end the process."""
    _arithmetic(op)
    divisor = op.input(1)
    values = divisor.values()
    if divisor.dtype in ("int32", "int64") and values is not None:
        op.require(bool(values.all()), "inputs", f"divides whole numbers by a 0 in {divisor.where}")


def _div(op: Operator) -> None:
    _division(op)
    op.activation()


def _comparison(op: Operator) -> None:
    _pair(op, *_FLOATS, *_INTEGERS)
    op.one_of(op.output, "bool")
    _scales_below_one(op)


def _scales_below_one(op: Operator) -> None:
    """Interpreters abort where they compare quantized numbers of a scale of 1 and more."""
    for operand in (op.input(0), op.input(1)):
        if op.runner and operand.dtype in QUANTIZED:
            op.require(
                float(operand.scales[0]) < _ONE,
                "quantization.scale",
                f"of {operand.where} is {operand.scales[0]:g}, interpreters compare only with scales below 1",
            )


def _equality(op: Operator) -> None:
    _pair(op, *_FLOATS, *_INTEGERS, "bool")
    op.one_of(op.output, "bool")
    _scales_below_one(op)


def _logical(op: Operator) -> None:
    _pair(op, "bool")
    op.one_of(op.output, "bool")


def _prelu(op: Operator) -> None:
    _arithmetic(op)
    op.shape(op.output, op.input(0).shape)
    if op.runner == "tflm":
        # Its kernel spreads the slopes over four dimensions, and aborts at more.
        op.rank(op.output, 0, 4)


def _add_n(op: Operator) -> None:
    op.count((1, 1024))
    first = op.input(0)
    op.one_of(first, *_FLOATS, *_INTEGERS)
    for position in range(len(op.inputs)):
        other = op.input(position)
        op.same_type(first, other)
        op.shape(other, first.shape)
        op.scaled(other)
    op.same_type(first, op.output)
    op.shape(op.output, first.shape)
    op.scaled(op.output)
    sum_fits(op, *(op.input(position) for position in range(len(op.inputs))))


def _select(op: Operator) -> None:
    op.count(3)
    condition, first, second = op.input(0), op.input(1), op.input(2)
    op.one_of(condition, "bool")
    op.same_type(first, second, op.output)
    op.one_of(first, *_FLOATS, *_INTEGERS, "bool")
    if op.kind == "SELECT":
        op.shape(second, first.shape)
        op.shape(op.output, first.shape)
        fits = condition.shape in (first.shape, first.shape[:1], (), (1,))
        op.require(fits, "shape", f"of {condition.where} is {list(condition.shape)}, the output {list(first.shape)}")
        return
    op.shape(op.output, broadcast(op, condition, first, second))


RULES = {
    **dict.fromkeys("ABS CEIL COS EXP FLOOR LOG NEG ROUND SIGN SIN SQRT SQUARE".split(), _number),
    **dict.fromkeys("ELU GELU HARD_SWISH LOGISTIC RELU RELU6 RELU_0_TO_1 RELU_N1_TO_1 RSQRT TANH".split(), _real),
    "ADD_N": _add_n,
    **dict.fromkeys(("ADD", "SUB", "MUL"), _with_activation),
    "CAST": _cast,
    "DEQUANTIZE": _dequantize,
    "DIV": _div,
    **dict.fromkeys(("EQUAL", "NOT_EQUAL"), _equality),
    **dict.fromkeys(("FLOOR_DIV", "FLOOR_MOD"), _division),
    **dict.fromkeys("GREATER GREATER_EQUAL LESS LESS_EQUAL".split(), _comparison),
    "L2_NORMALIZATION": _l2_normalization,
    "LEAKY_RELU": _leaky_relu,
    **dict.fromkeys(("LOGICAL_AND", "LOGICAL_OR"), _logical),
    "LOGICAL_NOT": _logical_not,
    "LOG_SOFTMAX": _normalization,
    **dict.fromkeys(("MAXIMUM", "MINIMUM", "POW", "ATAN2"), _arithmetic),
    "PRELU": _prelu,
    "QUANTIZE": _quantize,
    **dict.fromkeys(("SELECT", "SELECT_V2"), _select),
    "SOFTMAX": _softmax,
    "SQUARED_DIFFERENCE": _squared_difference,
    "ZEROS_LIKE": _zeros_like,
}
