"""Multiply-accumulates: one layer by hand, and the published totals of the reference models."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from tiny_models import dense_int8

from edgekit.tflite.graph import parse, read
from edgekit.tflite.macs import macs


def test_dense_layer_by_hand() -> None:
    assert macs(parse(dense_int8(weights=np.ones((3, 5)), bias=np.zeros(3)))) == 15


@pytest.mark.parametrize(
    ("name", "total"),
    [
        ("image_classification", 12_501_632),
        ("visual_wake_words", 7_489_664),
        ("keyword_spotting", 2_656_768),
        ("anomaly_detection", 264_192),
    ],
)
def test_reference_models(shared_models: Path, name: str, total: int) -> None:
    assert macs(read(shared_models / f"{name}_int8.tflite")) == total
