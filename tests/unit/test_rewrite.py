"""Rewrites on small nets written by hand: what comes out means the same, and TFLM runs it right."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest

sys.path.insert(0, str(Path(__file__).parents[1] / "kernels"))

from ai_edge_litert import schema_py_generated as schema
from flatbuffers_by_hand import ModelByHand

from edgekit.tflite import interpreters
from edgekit.tflite.graph import parse
from edgekit.tflite.interpreters import Interpreter
from edgekit.tflite.rewrite import rewrite

needs_tflm = pytest.mark.skipif(
    not interpreters.available(Interpreter.TFLM), reason="TFLM's interpreter has no wheel for this platform"
)


def _space_to_batch(paddings: list[list[int]]) -> bytes:
    model = ModelByHand()
    source = model.tensor((1, 5, 3, 2), 0.1, 7)
    block = model.tensor((2,), dtype="int32", data=np.array([2, 2], np.int32))
    sides = model.tensor((2, 2), dtype="int32", data=np.array(paddings, np.int32))
    rows, columns = (size + sum(side) for size, side in zip((5, 3), paddings, strict=True))
    output = model.tensor((4, rows // 2, columns // 2, 2), 0.1, 7)
    return model.pack("SPACE_TO_BATCH_ND", [source, block, sides], output, schema.SpaceToBatchNDOptionsT(), [source])


@needs_tflm
def test_paddings_in_front_of_batches_hold_the_zero_point() -> None:
    before = _space_to_batch([[0, 1], [1, 0]])
    after = rewrite(before)
    assert after.changes == (("padded_batches", 1),)
    assert [op.kind for op in parse(after.flatbuffer).ops] == ["PAD", "SPACE_TO_BATCH_ND"]
    sample = (np.random.default_rng(0).integers(-128, 128, 30, dtype=np.int8).tobytes(),)
    meant = interpreters.run(before, sample, Interpreter.LITERT_REFERENCE).outputs
    assert interpreters.run(after.flatbuffer, sample, Interpreter.TFLM).outputs == meant


def test_batches_without_paddings_stay_as_they_are() -> None:
    model = ModelByHand()
    source = model.tensor((1, 4, 4, 2), 0.1, 7)
    block = model.tensor((2,), dtype="int32", data=np.array([2, 2], np.int32))
    sides = model.tensor((2, 2), dtype="int32", data=np.zeros((2, 2), np.int32))
    output = model.tensor((4, 2, 2, 2), 0.1, 7)
    options = schema.SpaceToBatchNDOptionsT()
    before = model.pack("SPACE_TO_BATCH_ND", [source, block, sides], output, options, [source])
    assert rewrite(before).flatbuffer == before


@needs_tflm
def test_positions_become_int32() -> None:
    model = ModelByHand()
    source = model.tensor((1, 9), 0.1, 0)
    axis = model.tensor((), dtype="int64", data=np.array(1, np.int64))
    output = model.tensor((1,), dtype="int64")
    options = schema.ArgMaxOptionsT()
    options.outputType = schema.TensorType.INT64
    after = rewrite(model.pack("ARG_MAX", [source, axis], output, options, [source]))
    assert after.changes == (("narrow_positions", 1),)
    sample = np.array([[1, 5, -3, 7, 2, 7, 0, 1, 1]], np.int8).tobytes()
    found = interpreters.run(after.flatbuffer, (sample,), Interpreter.TFLM).outputs[0]
    assert np.frombuffer(found, np.int32).tolist() == [3]
