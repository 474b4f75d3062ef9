"""What element-wise operators refuse, and what the error says of it."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from ai_edge_litert import schema_py_generated as schema

sys.path.insert(0, str(Path(__file__).parents[1] / "kernels"))
from flatbuffers_by_hand import ModelByHand

from edgekit.engine import ops
from edgekit.engine.options import PORTABLE
from edgekit.errors import UnsupportedOpError
from edgekit.tflite import graph

SHAPE = (1, 2, 3, 4)
# Scale, zero point, type.
Made = tuple[float | None, int, str]
INT8: Made = (0.1, 3, "int8")


def _refusal(kind: str, inputs: list[Made], output: Made, options: Any = None, right: tuple[int, ...] = SHAPE) -> str:
    model = ModelByHand()
    shapes = [SHAPE, right]
    made = [
        model.tensor(shape, scale, zero_point, dtype=dtype)
        for shape, (scale, zero_point, dtype) in zip(shapes, inputs, strict=False)
    ]
    target = model.tensor(SHAPE, output[0], output[1], dtype=output[2])
    parsed = graph.parse(model.pack(kind, made, target, options, made))
    with pytest.raises(UnsupportedOpError) as caught:
        ops.lower(parsed, parsed.ops[0], PORTABLE)
    assert kind in str(caught.value) and caught.value.hint
    return str(caught.value)


def test_relu6_of_another_scale_names_the_rewrite() -> None:
    said = _refusal("RELU6", [INT8], (0.05, -128, "int8"))
    assert "TFLite Micro ignores another scale" in said and "edgekit convert" in said


def test_int16_has_no_zero_point() -> None:
    said = _refusal("ADD", [(0.1, 0, "int16"), (0.1, 0, "int16")], (0.1, 5, "int16"), schema.AddOptionsT())
    assert "is int16 with zero point 5" in said


def test_int32_is_not_clamped() -> None:
    options = schema.MulOptionsT()
    options.fusedActivationFunction = schema.ActivationFunctionType.RELU
    numbers: Made = (None, 0, "int32")
    assert "fused activation 1 of int32" in _refusal("MUL", [numbers, numbers], numbers, options)


def test_a_comparison_wants_scales_below_one() -> None:
    said = _refusal("LESS", [INT8, (1.5, 0, "int8")], (None, 0, "bool"), schema.LessOptionsT())
    assert "of scale 1.5" in said and "ends the program" in said


def test_a_quotient_keeps_within_a_word() -> None:
    said = _refusal("DIV", [INT8, INT8], (0.1, 0, "int8"), schema.DivOptionsT())
    assert "ratio of about" in said


def test_a_division_by_a_constant_zero_is_seen() -> None:
    model = ModelByHand()
    source = model.tensor(SHAPE, 1.0, 0)
    divisor = model.tensor((4,), 0.01, 3, data=np.array([1, 2, 3, 4], np.int8))
    output = model.tensor(SHAPE, 0.1, 0)
    parsed = graph.parse(model.pack("DIV", [source, divisor], output, schema.DivOptionsT(), [source]))
    with pytest.raises(UnsupportedOpError, match="a constant with a zero"):
        ops.lower(parsed, parsed.ops[0], PORTABLE)


def test_maximum_wants_one_scale() -> None:
    said = _refusal("MAXIMUM", [INT8, (0.2, 3, "int8")], INT8, schema.MaximumMinimumOptionsT())
    assert "has another scale or zero point" in said


def test_a_sigmoid_ends_at_one() -> None:
    assert "1/256" in _refusal("LOGISTIC", [INT8], (1 / 255, -128, "int8"))


def test_float_operators_have_no_kernel() -> None:
    assert "no kernel" in _refusal("DEQUANTIZE", [INT8], (None, 0, "float32"), schema.DequantizeOptionsT())


def test_scales_too_far_apart_are_refused() -> None:
    tiny: Made = (2.0**-30, 0, "int8")
    wide: Made = (4.0, 0, "int8")
    assert "fit into int32" in _refusal("MUL", [wide, wide], tiny, schema.MulOptionsT())
    assert "a ratio of" in _refusal("PRELU", [wide, wide], tiny)
    numbers: Made = (1.0, 0, "int32")
    assert "1/2 (from int32)" in _refusal("QUANTIZE", [numbers], INT8, schema.QuantizeOptionsT())
