"""Rounding and shapes at the model's ends."""

from __future__ import annotations

import numpy as np
import pytest
from tiny_models import dense_int8

from edgekit.errors import DataError, ModelError
from edgekit.tflite import graph
from edgekit.tflite.quantize import dequantize_output, quantize, quantize_input

MODEL = dense_int8(weights=np.eye(2), bias=np.zeros(2), output_scale=0.5)


def test_halves_round_away_from_zero_and_ends_saturate() -> None:
    real = np.array([0.5, -0.5, 1.5, 2.5, 0.49999997, 1e9, -1e9], np.float32)
    assert quantize(real, 1.0, 0, "int8").tolist() == [1, -1, 2, 3, 0, 127, -128]


def test_input_and_output() -> None:
    model = graph.parse(MODEL)
    assert quantize_input(model, np.array([[1.2, -3.7]], np.float32)) == (bytes([1, 252]),)
    assert dequantize_output(model, (bytes([2, 255]), bytes([0, 4]))).tolist() == [[1.0, -0.5], [0.0, 2.0]]


def test_wrong_shape_and_float_model() -> None:
    with pytest.raises(DataError, match=r"samples have shape \[3\], the model's input is \[2\]"):
        quantize_input(graph.parse(MODEL), np.zeros((1, 3), np.float32))
    floats = graph.parse(dense_int8(weights=np.eye(2), bias=np.zeros(2), dtype="float32"))
    with pytest.raises(ModelError, match="float32 without a scale"):
        quantize_input(floats, np.zeros((1, 2), np.float32))
