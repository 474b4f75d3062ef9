"""Copies that stay within a row read from a ring that keeps one row."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import aot_on_host
import numpy as np
from ai_edge_litert import schema_py_generated as schema
from flatbuffers_by_hand import ModelByHand

from edgekit.engine.plan import plan
from edgekit.engine.program import Program, program
from edgekit.engine.types import Schedule, Step
from edgekit.tflite import graph

ROWS, COLUMNS, CHANNELS = 9, 5, 4


def _chain() -> Program:
    """Channels cut, reversed, joined and padded: row y of each tensor comes from row y (or y - 2) of those before."""
    made = ModelByHand()

    def image(channels: int, rows: int = ROWS, columns: int = COLUMNS) -> int:
        return made.tensor((1, rows, columns, channels), 0.5, 3)

    def numbers(*values: int) -> int:
        return made.tensor((len(values),), dtype="int32", data=np.array(values, np.int32))

    source, cut, turned, joined, padded = image(4), image(2), image(2), image(4), image(5, ROWS + 3, COLUMNS + 1)
    paddings = made.tensor((4, 2), dtype="int32", data=np.array([[0, 0], [2, 1], [0, 1], [1, 0]], np.int32))
    join = schema.ConcatenationOptionsT()
    join.axis = 3
    ops = [
        ("SLICE", [source, numbers(0, 0, 0, 1), numbers(1, -1, -1, 2)], cut, schema.SliceOptionsT()),
        ("REVERSE_V2", [cut, numbers(2)], turned, schema.ReverseV2OptionsT()),
        ("CONCATENATION", [turned, cut], joined, join),
        ("PAD", [joined, paddings], padded, schema.PadOptionsT()),
    ]
    return program(graph.parse(made.pack_chain(ops, [source])))


def _streamed(whole: Program) -> Program:
    """Every layer but the last computes row y before the last one pads it; each tensor between keeps one row."""
    last = len(whole.lowered) - 1
    steps = [Step(last, 0, 2)]
    for row in range(ROWS):
        steps += [Step(layer, row, row + 1) for layer in range(last)]
        steps.append(Step(last, row + 2, row + 3))
    steps.append(Step(last, ROWS + 2, ROWS + 3))
    between = {item.output for item in whole.lowered[:-1]}
    schedule = Schedule(tuple(steps), dict.fromkeys(between, 1))
    return dataclasses.replace(whole, schedule=schedule, memory=plan(whole.graph, whole.lowered, schedule))


def test_copies_within_rows_stream_through_rings_of_one_row(tmp_path: Path) -> None:
    whole = _chain()
    streamed = _streamed(whole)
    values = np.random.default_rng(2).integers(-128, 128, (1, ROWS, COLUMNS, CHANNELS), dtype=np.int8)
    (first,), (second,) = aot_on_host.run([whole, streamed], [(values.tobytes(),)] * 2, tmp_path)
    cut = values[..., 1:3]
    joined = np.concatenate([cut[:, :, ::-1], cut], axis=3)
    expected = np.pad(joined, [(0, 0), (2, 1), (0, 1), (1, 0)], constant_values=3)
    np.testing.assert_array_equal(np.frombuffer(first, np.int8).reshape(expected.shape), expected)
    assert second == first
    assert set(streamed.schedule.ring_rows.values()) == {1} and len(streamed.schedule.ring_rows) == 3
