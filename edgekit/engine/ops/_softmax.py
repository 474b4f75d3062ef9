"""What SOFTMAX and LOG_SOFTMAX of int8 share: differences to the largest input in Q5."""

from __future__ import annotations

import math

from edgekit.engine.lowered import row_shape, scale_of
from edgekit.engine.multiplier import quantize_multiplier
from edgekit.tflite.graph import Graph, Op, Tensor

_DIFFERENCE_INTEGER_BITS = 5
_FRACTION_BITS = 31 - _DIFFERENCE_INTEGER_BITS


def input_scale_is_in_range(graph: Graph, op: Op) -> str | None:
    """an input whose scale times beta lies above 2^-26, and below 2^31 with int16"""
    before = graph.tensors[op.inputs[0]]
    scaled = scale_of(before) * float(op.options.get("beta", 1.0))
    is_fine = scaled > 2.0**-26 and (before.dtype == "int8" or scaled < 10 / 65535 * 2.0**30)
    return None if is_fine else f"{scaled:g}"


def vectors_are_short(graph: Graph, op: Op) -> str | None:
    """vectors of fewer than 4,096 elements, with int16 of up to 65,536, whose sum of exp int32 holds"""
    before = graph.tensors[op.inputs[0]]
    most = (1 << 12) - 1 if before.dtype == "int8" else 1 << 16
    return None if before.shape[-1] <= most else f"{before.shape[-1]} elements"


def softmax_fields(before: Tensor, beta: float) -> dict[str, int]:
    """Return the fields of `ek_softmax_s8_layer`."""
    multiplier, shift = quantize_multiplier(min(beta * scale_of(before) * 2**_FRACTION_BITS, 2.0**31 - 1))
    radius = math.floor(((1 << _DIFFERENCE_INTEGER_BITS) - 1) * 2**_FRACTION_BITS / 2**shift)
    return {
        "row_elements": row_shape(before)[1],
        "depth": before.shape[-1],
        "multiplier": multiplier,
        "shift": shift,
        "difference_min": -radius,
    }
