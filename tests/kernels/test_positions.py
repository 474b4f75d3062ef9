"""Computed positions outside of what they pick from: nothing outside is read, the nearest inside is taken."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import aot_on_host
import numpy as np
import pytest
from ai_edge_litert import schema_py_generated as schema
from flatbuffers_by_hand import ModelByHand

from edgekit.engine.program import program
from edgekit.errors import UnsupportedOpError
from edgekit.tflite import graph

WORDS, DEPTH, STEPS = 7, 5, 11


def _model(kind: str, positions: np.ndarray | None) -> tuple[graph.Graph, np.ndarray]:
    """Rows of a constant table at positions that are computed or constant; the other input is not read."""
    made = ModelByHand()
    table = np.random.default_rng(0).integers(-128, 128, (WORDS, DEPTH), dtype=np.int8)
    source = made.tensor(table.shape, data=table)
    shape = (STEPS, 1) if kind == "GATHER_ND" else (STEPS,)
    picked = made.tensor(shape, dtype="int32", data=positions)
    options = schema.GatherNdOptionsT() if kind == "GATHER_ND" else schema.GatherOptionsT()
    unread = made.tensor((1,))
    inputs = [picked, unread] if positions is None else [unread]
    flatbuffer = made.pack(kind, [source, picked], made.tensor((STEPS, DEPTH)), options, inputs)
    return graph.parse(flatbuffer), table


@pytest.mark.parametrize("kind", ["GATHER", "GATHER_ND"])
def test_positions_outside_pick_the_nearest_inside(kind: str, tmp_path: Path) -> None:
    parsed, table = _model(kind, None)
    rng = np.random.default_rng(1)
    near = rng.integers(-2, WORDS + 2, (4, STEPS), dtype=np.int32)
    far = rng.integers(-(2**24), 2**24, (4, STEPS), dtype=np.int32)
    edges = np.resize(np.array([-1, WORDS, -(2**24), 2**24, 0, WORDS - 1], np.int32), (1, STEPS))
    samples = np.concatenate([near, far, edges])
    (outputs,) = aot_on_host.run([program(parsed)], [tuple(row.tobytes() + b"\0" for row in samples)], tmp_path)
    for row, output in zip(samples, outputs, strict=True):
        np.testing.assert_array_equal(
            np.frombuffer(output, np.int8).reshape(STEPS, DEPTH), table[row.clip(0, WORDS - 1)]
        )


def test_any_int32_position_reads_inside(tmp_path: Path) -> None:
    """GATHER_ND multiplies positions as TFLite Micro does, so far ones wrap; the sanitizers watch what they read."""
    for kind in ("GATHER", "GATHER_ND"):
        parsed, table = _model(kind, None)
        ends = np.resize(np.array([-(2**31), 2**31 - 1, 2**30, -(2**30) - 1], np.int32), (1, STEPS))
        (outputs,) = aot_on_host.run([program(parsed)], [(ends.tobytes() + b"\0",)], tmp_path)
        rows = np.frombuffer(outputs[0], np.int8)
        flat = table.reshape(-1)
        windows = {flat[start : start + DEPTH].tobytes() for start in range(len(flat) - DEPTH + 1)}
        assert {row.tobytes() for row in rows.reshape(STEPS, DEPTH)} <= windows


@pytest.mark.parametrize("kind", ["GATHER", "GATHER_ND"])
@pytest.mark.parametrize("outside", [-1, WORDS])
def test_constant_position_outside_is_refused(kind: str, outside: int) -> None:
    shape = (STEPS, 1) if kind == "GATHER_ND" else (STEPS,)
    positions = np.arange(STEPS, dtype=np.int32) % WORDS
    parsed, _ = _model(kind, positions.reshape(shape))
    positions[3] = outside
    changed = dataclasses.replace(parsed.tensors[1], data=positions.reshape(shape))
    tensors = (parsed.tensors[0], changed, *parsed.tensors[2:])
    with pytest.raises(UnsupportedOpError, match="inside of the"):
        program(dataclasses.replace(parsed, tensors=tensors))
