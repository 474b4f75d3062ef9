"""Where interpreters are known to differ on an operator, by how much, and why.

`tests/differential` holds the list against the interpreters: an operator that is not listed gives the same bytes in
LiteRT's reference kernels and in TFLM, one that is listed differs somewhere, and by no more than it says.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Difference:
    """One operator on which LiteRT's reference kernels and TFLM give different integers.

    Attributes:
        operator: TFLite's name.
        dtype: of its output.
        largest_step: largest difference of one operator; None where one of the two is wrong altogether.
        cause: why; says who is wrong where one is.
    """

    operator: str
    dtype: str
    largest_step: int | None
    cause: str


_SCALES = "LiteRT divides the scales in single precision, TFLM in double"
_ROUNDS_ONCE = "LiteRT rounds once when it requantizes, TFLM twice"
_SUM = "LiteRT's reference kernel loses the zero point; TFLM is right"

DIFFERENCES = (
    Difference("ABS", "int16", 1, _SCALES),
    Difference("BATCH_MATMUL", "int8", 1, _ROUNDS_ONCE),
    Difference("BATCH_MATMUL", "int16", 1, _ROUNDS_ONCE),
    Difference("FULLY_CONNECTED", "int8", 1, _ROUNDS_ONCE),
    Difference("FULLY_CONNECTED", "int16", 1, _ROUNDS_ONCE),
    Difference("LEAKY_RELU", "int16", 1, _SCALES),
    Difference("LOGISTIC", "int8", 1, "a tie is rounded differently where the input scale is a power of two"),
    Difference("RELU", "int16", 1, _SCALES),
    Difference(
        "RELU6", "int8", None, "TFLM's stand-alone RELU6 ignores the output scale: fuse it with what is in front"
    ),
    Difference("SOFTMAX", "int16", 1, "TFLM and LiteRT look the exponential up in tables of their own"),
    Difference(
        "SPACE_TO_BATCH_ND", "int8", None, "TFLM pads with a value that nobody set: use PAD in front, or dilation"
    ),
    Difference("SUM", "int8", None, _SUM),
    Difference("SUM", "int16", None, _SUM),
    Difference("SVDF", "int8", 1, _ROUNDS_ONCE),
    Difference("UNIDIRECTIONAL_SEQUENCE_LSTM", "int8", 1, _ROUNDS_ONCE),
)

# What LiteRT's reference kernels have no int8 form of, though TFLM has.
LITERT_LACKS = ("BROADCAST_TO", "CUMSUM", "ELU")

# Optimized kernels (XNNPACK, LiteRT without a delegate, tflite-runtime) differ from the reference ones here as well.
OPTIMIZED = {
    "CONV_2D": _ROUNDS_ONCE,
    "DEPTHWISE_CONV_2D": _ROUNDS_ONCE,
    "TRANSPOSE_CONV": _ROUNDS_ONCE,
    "FULLY_CONNECTED": _ROUNDS_ONCE,
    "ADD": "XNNPACK adds in another fixed-point form",
    "SUB": "XNNPACK subtracts in another fixed-point form",
    "MUL": "XNNPACK multiplies in another fixed-point form",
    "MEAN": "the optimized kernel divides after it requantizes",
    "SOFTMAX": "the optimized kernels look the exponential up in a table of floats",
    "RSQRT": "each interpreter has its own inverse root: up to 5 steps behind a norm",
    "LOGISTIC": "the optimized kernels compute in float",
    "TANH": "the optimized kernels compute in float",
    "UNIDIRECTIONAL_SEQUENCE_LSTM": "state and gates are rounded differently; reset before each sequence",
}


def likely_cause(operator: str) -> str:
    """Return why two interpreters differ at an operator, as far as it is known.

    Example:
        >>> likely_cause("SUM")
        "LiteRT's reference kernel loses the zero point; TFLM is right"
        >>> likely_cause("NEW_OPERATOR")
        'not known: the two have different arithmetic for this operator'
    """
    listed = {difference.operator: difference.cause for difference in DIFFERENCES}
    unknown = "not known: the two have different arithmetic for this operator"
    return listed.get(operator) or OPTIMIZED.get(operator) or unknown
