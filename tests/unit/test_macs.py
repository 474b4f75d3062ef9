"""Multiply-accumulates: one layer by hand, and the published totals of the reference models."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest
from ai_edge_litert import schema_py_generated as schema
from tiny_models import dense_int8

sys.path.insert(0, str(Path(__file__).parents[1] / "kernels"))
from cases import CASES
from flatbuffers_by_hand import ModelByHand

from edgekit.tflite.graph import parse, read
from edgekit.tflite.macs import macs


def test_dense_layer_by_hand() -> None:
    assert macs(parse(dense_int8(weights=np.ones((3, 5)), bias=np.zeros(3)))) == 15


def test_matrix_product_by_hand() -> None:
    model, options = ModelByHand(), schema.BatchMatMulOptionsT()
    left, right, output = (model.tensor(shape) for shape in [(2, 4, 3), (2, 4, 5), (2, 3, 5)])
    options.adjX, options.adjY = True, False
    assert macs(parse(model.pack("BATCH_MATMUL", [left, right], output, options, [left, right]))) == 2 * 3 * 4 * 5


@pytest.mark.parametrize("operator", ["conv_2d__grouped", "transpose_conv", "unidirectional_sequence_lstm", "svdf"])
def test_every_weight_counts_once_for_each_place_it_is_used_at(operator: str) -> None:
    graph = parse(CASES[operator](np.random.default_rng(1)).flatbuffer)
    op = graph.ops[0]
    source, output = (graph.tensors[index].shape for index in (graph.inputs[0], graph.outputs[0]))
    weights = sum(
        graph.tensors[index].elements
        for index in op.inputs
        if index >= 0 and graph.tensors[index].data is not None and len(graph.tensors[index].shape) > 1
    )
    places = {
        "CONV_2D": output[1:3],
        "TRANSPOSE_CONV": source[1:3],
        "UNIDIRECTIONAL_SEQUENCE_LSTM": output[:2],
        "SVDF": output[:1],
    }
    assert macs(graph) == weights * np.prod(places[op.kind])


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
